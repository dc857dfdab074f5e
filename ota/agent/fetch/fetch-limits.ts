/** What bounds the fetching of one bundle. */
export type FetchLimits = {
	/** No byte for so long: the connection is given up. */
	readonly idleTimeoutMs: number;
	/** Fewer bytes than `slowBytesMin` within this time: given up (slow-loris). */
	readonly slowWindowMs: number;
	readonly slowBytesMin: number;
	/** Failures in a row without a new byte, after which a source is given up. */
	readonly retriesMax: number;
	readonly retryInitialMs: number;
	readonly retryMaxMs: number;
	/** A `Retry-After` is believed up to this. */
	readonly retryAfterMaxMs: number;
	/** Progress is written to disk after so many new bytes. */
	readonly checkpointBytes: number;
	/** How often the carousel's object is looked at while it is awaited. */
	readonly carouselPollMs: number;
};

export const fetchLimits: FetchLimits = {
	idleTimeoutMs: 30_000,
	slowWindowMs: 60_000,
	slowBytesMin: 32 * 1024,
	retriesMax: 10,
	retryInitialMs: 1000,
	retryMaxMs: 300_000,
	retryAfterMaxMs: 3_600_000,
	checkpointBytes: 1024 ** 2,
	carouselPollMs: 5000,
};
