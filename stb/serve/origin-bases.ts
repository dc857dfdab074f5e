/** A server that failed is asked last for so long. */
const asideMs = 10_000;
/** Servers remembered as failing at most; the signalling may name others every day. */
const asideMax = 64;

export type OriginBase = {readonly url: string; readonly weight: number};

export type OriginBases = {
	/** Every base, in the order to ask them: by weighted lot, those that failed lately last. */
	readonly order: () => readonly OriginBase[];
	readonly setAside: (base: OriginBase) => void;
};

export const createOriginBases = (options: {
	readonly bases: () => readonly OriginBase[];
	readonly monotonicMs: () => number;
	/** 0..1, injected so that tests are exact. */
	readonly random: () => number;
}): OriginBases => {
	const asideUntilMs = new Map<string, number>();
	return {
		order: () => {
			const nowMs = options.monotonicMs();
			const drawn = options.bases().map((base) => {
				const aside = (asideUntilMs.get(base.url) ?? 0) > nowMs;
				// Efraimidis and Spirakis: sorting by u^(1/w) draws without replacement in proportion to the weights.
				const lot = base.weight > 0 ? options.random() ** (1 / base.weight) : -1;
				return {base, aside, lot};
			});
			return drawn.sort((a, b) => Number(a.aside) - Number(b.aside) || b.lot - a.lot).map(({base}) => base);
		},
		setAside: ({url}) => {
			asideUntilMs.delete(url);
			asideUntilMs.set(url, options.monotonicMs() + asideMs);
			const oldest = asideUntilMs.keys().next();
			if (asideUntilMs.size > asideMax && oldest.done === false) {
				asideUntilMs.delete(oldest.value);
			}
		},
	};
};
