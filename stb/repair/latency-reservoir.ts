/** The last so many samples; older ones are forgotten, so that the figure follows what the box lives through now. */
const samplesMax = 1024;

export type LatencyReservoir = {
	add(durationMs: number): void;
	/** Nearest-rank percentiles, 0 while there is no sample. */
	percentiles(): {readonly p50: number; readonly p99: number};
};

export const createLatencyReservoir = (): LatencyReservoir => {
	const samples: number[] = [];
	let next = 0;
	return {
		add: (durationMs) => {
			samples[next] = durationMs;
			next = (next + 1) % samplesMax;
		},
		percentiles: () => {
			const sorted = samples.toSorted((a, b) => a - b);
			const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
			return {p50: at(0.5), p99: at(0.99)};
		},
	};
};
