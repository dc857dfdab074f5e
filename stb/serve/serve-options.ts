import type {OriginBase} from '#stb/serve/origin-bases.ts';

export type OriginOptions = {
	/** The operator's prefix of object URIs; nothing else is ever asked for. */
	readonly objectBaseUri: string;
	/** What the repair parameters name now; each stands for `objectBaseUri`. */
	readonly baseUrls: () => readonly OriginBase[];
	readonly limits?: Partial<OriginLimits>;
};

export type OriginLimits = {
	/** For the first byte, over all servers asked; then the player gets a 504. */
	readonly firstByteTimeoutMs: number;
	readonly idleTimeoutMs: number;
	readonly transfersMax: number;
	readonly prefetchesMax: number;
	readonly readersPerTransferMax: number;
	readonly objectBytesMax: number;
	/** A 404 is believed for so long. */
	readonly negativeMs: number;
	readonly segmentsAhead: number;
	/** A range that begins further behind what has come is fetched by itself. */
	readonly jumpBytes: number;
	/** A transfer that nobody waits for any more and that lacks more than this is given up. */
	readonly lingerBytes: number;
};

export const originLimits: OriginLimits = {
	firstByteTimeoutMs: 5000,
	idleTimeoutMs: 5000,
	transfersMax: 32,
	prefetchesMax: 6,
	readersPerTransferMax: 1024,
	objectBytesMax: 8_589_934_592,
	negativeMs: 1000,
	segmentsAhead: 3,
	jumpBytes: 1_048_576,
	lingerBytes: 33_554_432,
};
