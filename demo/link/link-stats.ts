/** Counters that the link's thread shares with its owner, in the order in which they lie in memory. */
export const linkCounters = [
	'packets',
	'bytes',
	'lost',
	'faded',
	'duplicated',
	'delayed',
	'damaged',
	'failed',
] as const;
export type LinkCounter = (typeof linkCounters)[number];

export type LinkStats = Readonly<Record<LinkCounter, number>> & {
	/** (lost + faded) / packets. */
	readonly injectedRatio: number;
};
