/** Where one disk stands. */
export type FlashProgress = {
	readonly device: string;
	readonly doneBytes: number;
	readonly totalBytes: number;
	readonly bytesPerSecond: number;
	/** Undefined until there is something to reckon with. */
	readonly secondsLeft: number | undefined;
};

/** The rate is that of the last seconds, because disks begin fast and become slow. */
const windowMs = 5000;
const samplesMax = 512;

export const createRateMeter = (totalBytes: number, nowMs: () => number = () => performance.now()) => {
	const samples: {atMs: number; bytes: number}[] = [{atMs: nowMs(), bytes: 0}];
	return (doneBytes: number): Omit<FlashProgress, 'device'> => {
		const atMs = nowMs();
		samples.push({atMs, bytes: doneBytes});
		while (samples.length > 2 && (samples.length > samplesMax || atMs - (samples[1]?.atMs ?? atMs) > windowMs)) {
			samples.shift();
		}
		const [oldest = {atMs, bytes: 0}] = samples;
		const seconds = (atMs - oldest.atMs) / 1000;
		const bytesPerSecond = seconds > 0 ? (doneBytes - oldest.bytes) / seconds : 0;
		const secondsLeft = bytesPerSecond > 0 ? (totalBytes - doneBytes) / bytesPerSecond : undefined;
		return {doneBytes, totalBytes, bytesPerSecond, secondsLeft};
	};
};
