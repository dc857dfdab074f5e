export type BackoffOptions = {
	readonly initialMs: number;
	readonly maxMs: number;
	readonly factor?: number;
	/** 0..1, injected so that tests are exact. */
	readonly random?: () => number;
};

/**
 * Exponential back-off with full jitter on the upper half, so that a fleet which lost the same server does not return
 * in one wave: the delay before attempt n (0-based) lies in [base/2, base], base = min(max, initial·factor^n).
 */
export const backoffMs = (attempt: number, options: BackoffOptions): number => {
	const {initialMs, maxMs, factor = 2, random = Math.random} = options;
	const base = Math.min(maxMs, initialMs * factor ** Math.min(attempt, 64));
	return Math.round(base / 2 + (base / 2) * random());
};
