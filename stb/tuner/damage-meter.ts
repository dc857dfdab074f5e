/** What a decapsulator counts as damage of sections and frames on their way to being datagrams. */
export type DamageCounts = Readonly<Record<string, number>>;

/** Not damage of the signal: what others send on the same carrier, and words that we do not know. */
const harmless = new Set([
	'section-foreign',
	'section-snap',
	'foreign-datagram',
	'sndu-type',
	'gse-type',
	'frame-kind',
]);

/** Over which errors are counted as a rate. */
const windowMs = 60_000;
const samplesMax = 600;

export type DamageMeter = {
	/** Of the decapsulator that runs now; counts that fell are those of a new one. */
	readonly take: (damage: DamageCounts, nowMs: number) => void;
	/** Since the start. */
	readonly total: () => number;
	readonly perMinute: () => number;
};

export const createDamageMeter = (): DamageMeter => {
	let last = 0;
	let total = 0;
	const samples: {readonly atMs: number; readonly total: number}[] = [{atMs: Number.NEGATIVE_INFINITY, total: 0}];
	return {
		take: (damage, nowMs) => {
			const now = Object.entries(damage)
				.filter(([kind]) => !harmless.has(kind))
				.reduce((sum, [, count]) => sum + count, 0);
			total += now >= last ? now - last : now;
			last = now;
			samples.push({atMs: nowMs, total});
			// One sample older than the window stays, to count from.
			while (samples.length > samplesMax || (samples[1] !== undefined && samples[1].atMs <= nowMs - windowMs)) {
				samples.shift();
			}
		},
		total: () => total,
		perMinute: () => total - (samples[0]?.total ?? total),
	};
};
