/**
 * Mulberry32: a 32-bit generator that is the same on every machine, which Math.random is not. Answers 0 <= n < 1.
 * Good enough to drop packets by; of no use for anything secret.
 */
export const createRandom = (seed: number): (() => number) => {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d_2b_79_f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
};
