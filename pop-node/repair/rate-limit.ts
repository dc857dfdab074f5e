import type {Clock} from '#appliance/time/clock.ts';

export type RateLimitOptions = {
	readonly requestsPerSecond: number;
	readonly requestsBurst: number;
	readonly clientsMax: number;
	readonly clock: Pick<Clock, 'monotonicMs'>;
};

export type RateLimit = {
	/** Takes one request of a client's; answers 0, or the ms after which there is one again. */
	take(client: string): number;
	readonly clients: () => number;
};

type Bucket = {tokens: number; filledMs: number};

/**
 * A token bucket per client address. Whoever was silent longest is forgotten first, and a forgotten client has a full
 * bucket: an attacker with many addresses gains nothing that the addresses alone would not give.
 */
export const createRateLimit = (options: RateLimitOptions): RateLimit => {
	const {requestsPerSecond, requestsBurst, clientsMax, clock} = options;
	// A Map keeps the order of insertion; each use inserts anew, so the first key is the longest silent.
	const buckets = new Map<string, Bucket>();
	return {
		clients: () => buckets.size,
		take: (client) => {
			const key = addressGroup(client);
			const nowMs = clock.monotonicMs();
			const bucket = buckets.get(key) ?? {tokens: requestsBurst, filledMs: nowMs};
			const earned = ((nowMs - bucket.filledMs) / 1000) * requestsPerSecond;
			const tokens = Math.min(requestsBurst, bucket.tokens + earned);
			const allowed = tokens >= 1;
			buckets.delete(key);
			buckets.set(key, {tokens: allowed ? tokens - 1 : tokens, filledMs: nowMs});
			if (buckets.size > clientsMax) {
				const [oldest] = buckets.keys();
				buckets.delete(oldest ?? key);
			}
			return allowed ? 0 : Math.ceil(((1 - tokens) / requestsPerSecond) * 1000);
		},
	};
};

/** A household has one IPv4 address or a whole IPv6 /64 (RFC 6177), so that is what counts as one client. */
export const addressGroup = (address: string): string => {
	const plain = address.replace(/^::ffff:(?=\d+\.)/u, '');
	if (!plain.includes(':')) {
		return plain;
	}
	const [head = '', tail] = plain.split('::');
	const before = head === '' ? [] : head.split(':');
	const after = tail === undefined || tail === '' ? [] : tail.split(':');
	const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
	return [...before, ...Array.from({length: zeros}, () => '0'), ...after].slice(0, 4).join(':');
};
