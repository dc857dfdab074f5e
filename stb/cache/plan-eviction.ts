import type {Priority} from '#appliance/contract/catalogue-schema.ts';

export type EvictionCandidate = {
	readonly uri: string;
	readonly sizeBytes: number;
	readonly priority: Priority;
	readonly lastUsedMs: number;
};

export type EvictionNeed = {
	/** Bytes that must become free. */
	readonly bytes: number;
	/** What needs them: nothing that outranks it is given up for it. */
	readonly priority: Priority;
};

export type EvictionPlan =
	| {readonly kind: 'evict'; readonly uris: readonly string[]; readonly bytes: number}
	| {readonly kind: 'impossible'; readonly missingBytes: number};

/**
 * Low goes first and live last. A live segment is what somebody watches now, cannot wait for the next cycle, and
 * expires by itself within minutes, so keeping it above the others can never fill the cache for long.
 */
export const evictionRank: Readonly<Record<Priority, number>> = {low: 0, medium: 1, high: 2, live: 3};

/** The order in which objects are given up: by priority, then the least recently used. */
export const compareForEviction = (a: EvictionCandidate, b: EvictionCandidate): number =>
	evictionRank[a.priority] - evictionRank[b.priority] || a.lastUsedMs - b.lastUsedMs;

/**
 * Chooses what to give up. `candidates` come in the order of `compareForEviction`, without the pinned ones; no more of
 * them is read than is needed. Nothing is given up when all of it would not be enough.
 */
export const planEviction = (need: EvictionNeed, candidates: Iterable<EvictionCandidate>): EvictionPlan => {
	const uris: string[] = [];
	let bytes = 0;
	if (need.bytes > 0) {
		for (const candidate of candidates) {
			if (bytes >= need.bytes || evictionRank[candidate.priority] > evictionRank[need.priority]) {
				break;
			}
			uris.push(candidate.uri);
			bytes += candidate.sizeBytes;
		}
	}
	return bytes >= need.bytes ? {kind: 'evict', uris, bytes} : {kind: 'impossible', missingBytes: need.bytes - bytes};
};
