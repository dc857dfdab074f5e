import type {Clock} from '#appliance/time/clock.ts';

export type RateLimit = {
	/** How many may come at once. */
	readonly burst: number;
	readonly perSecond: number;
};

export type RateLimiter = {
	/** 0 when it may pass; otherwise after how many seconds to come back. */
	readonly take: (key: string, cost?: number) => number;
};

/** Keys that are remembered; beyond it the one asked longest ago starts anew with a full bucket. */
const keysMax = 10_000;

/** One token bucket per key: it fills by `perSecond` up to `burst`. */
export const createRateLimiter = (limit: RateLimit, {clock}: {readonly clock: Clock}): RateLimiter => {
	const buckets = new Map<string, {tokens: number; atMs: number}>();
	return {
		take: (key, cost = 1) => {
			const nowMs = clock.monotonicMs();
			const last = buckets.get(key);
			const tokens =
				last === undefined
					? limit.burst
					: Math.min(limit.burst, last.tokens + ((nowMs - last.atMs) / 1000) * limit.perSecond);
			const passes = tokens >= cost;
			buckets.delete(key);
			buckets.set(key, {tokens: passes ? tokens - cost : tokens, atMs: nowMs});
			if (buckets.size > keysMax) {
				const [oldest] = buckets.keys();
				buckets.delete(oldest ?? key);
			}
			return passes ? 0 : Math.max(1, Math.ceil((cost - tokens) / limit.perSecond));
		},
	};
};
