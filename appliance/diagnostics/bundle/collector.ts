export type CollectOptions = {
	/** Aborts at the collector's deadline, or when the whole bundle must end. */
	readonly signal: AbortSignal;
	readonly bytesMax: number;
};

/** One file of a bundle. Collectors know nothing of each other: one that fails or hangs costs only its own file. */
export type Collector = {
	/** Path within the bundle. */
	readonly name: string;
	/** Default `collectorDeadlineMs`. */
	readonly deadlineMs?: number;
	/** Default `entryBytesMax`. */
	readonly bytesMax?: number;
	readonly collect: (options: CollectOptions) => Promise<string | Buffer>;
};

/** What came of a collector, in manifest.json. */
export type CollectorOutcome = {
	readonly name: string;
	readonly tookMs: number;
	readonly sizeBytes: number;
	readonly truncated: boolean;
	/** Why it is not there, or not whole. */
	readonly error?: {readonly code: string; readonly message: string};
};

export const collectorDeadlineMs = 8000;
export const entryBytesMax = 4 * 1024 ** 2;
