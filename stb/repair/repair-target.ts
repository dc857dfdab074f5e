import type {FluteRange} from '#native/flute/receiver-event.ts';
import type {RepairServer} from '#stb/repair/repair-servers.ts';

/** Where and when an object may be repaired: its session's UnicastRepairParameters. */
export type RepairSource = {
	readonly objectBaseUri: string;
	readonly servers: readonly RepairServer[];
	readonly fixedBackOffMs: number;
	readonly randomBackOffMs: number;
};

export type RepairTarget = {
	readonly uri: string;
	readonly sizeBytes: number | undefined;
	readonly entityTag?: string | undefined;
	/** Lower is sooner. */
	readonly rank: number;
	readonly source: RepairSource;
	readonly missing: () => readonly FluteRange[];
	readonly write: (offset: number, bytes: Uint8Array) => void | Promise<void>;
};

export type RepairStats = {
	readonly requests: number;
	readonly bytes: number;
	readonly failures: number;
	readonly latencyMs: {readonly p50: number; readonly p99: number};
};
