import type {Clock} from '#appliance/time/clock.ts';

export type RateMeter = {
	/** Bits per second over the last window, from a counter of bytes that only grows. */
	rateBps(totalBytes: number): number;
};

const windowMs = 4000;
const sampleEveryMs = 200;

export const createRateMeter = ({clock}: {readonly clock: Clock}): RateMeter => {
	const samples: {readonly atMs: number; readonly bytes: number}[] = [];
	return {
		rateBps: (bytes) => {
			const atMs = clock.monotonicMs();
			const last = samples.at(-1);
			if (last === undefined || atMs - last.atMs >= sampleEveryMs) {
				samples.push({atMs, bytes});
			}
			// One sample older than the window stays, so that there is always a span to measure over.
			while (samples[1] !== undefined && samples[1].atMs < atMs - windowMs) {
				samples.shift();
			}
			const first = samples[0];
			return first === undefined || atMs === first.atMs ? 0 : ((bytes - first.bytes) * 8000) / (atMs - first.atMs);
		},
	};
};
