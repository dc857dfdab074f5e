import type {ServedFrom} from '#stb/serve/response-headers.ts';

export type ServeStats = {
	/** Answers from the cache, by us or by nginx. */
	readonly hits: number;
	readonly arriving: number;
	readonly misses: number;
	readonly stale: number;
	readonly terrestrial: {
		readonly requests: number;
		readonly bytes: number;
		readonly failures: number;
		readonly prefetched: number;
	};
};

export type ServeCounts = {
	readonly count: (from: ServedFrom, times?: number) => void;
	readonly stats: (terrestrial: ServeStats['terrestrial']) => ServeStats;
};

export const createServeCounts = (): ServeCounts => {
	const counts: Record<ServedFrom, number> = {cache: 0, arriving: 0, terrestrial: 0, stale: 0};
	return {
		count: (from, times = 1) => {
			counts[from] += times;
		},
		stats: (terrestrial) => ({
			hits: counts.cache,
			arriving: counts.arriving,
			misses: counts.terrestrial,
			stale: counts.stale,
			terrestrial,
		}),
	};
};
