import {idealThresholdDb} from '#appliance/contract/ideal-threshold.ts';
import type {StbTuner} from '#appliance/contract/stb-status-schema.ts';
import type {SignalStatistics, Tuner} from '#native/dvb/tuner.ts';
import type {Carrier} from '#stb/tuner/carrier.ts';

/** What the tuner measured last, in the words of the box's status. */
export type SignalReading = Omit<StbTuner, 'name' | 'work'> & {
	readonly marginDb?: number;
};

const unlocked: SignalReading = {locked: false};

/** What can be looked at: all that waiting for a lock needs of a tuner. */
type Watched = Pick<Tuner, 'statistics'>;

export type SignalMeter = {
	/** The tuner again, but each look at it is kept: a dish is pointed by what is told before there is a lock. */
	readonly watch: (tuner: Watched, carrier: Carrier | undefined) => Watched;
	/** A new order to the tuner: the lock is gone, and the level stands until the next look. */
	readonly retune: () => void;
	readonly forget: () => void;
	/** The newest; what is older than its limit is missing, so that nobody turns a dish by it. */
	readonly reading: () => SignalReading;
};

export const createSignalMeter = (options: {
	readonly monotonicMs: () => number;
	readonly ageMaxMs: number;
}): SignalMeter => {
	const {monotonicMs, ageMaxMs} = options;
	let last = unlocked;
	let lookedAtMs = monotonicMs();
	return {
		watch: (tuner, carrier) => ({
			statistics: async () => {
				const statistics = await tuner.statistics();
				last = readSignal(statistics, carrier);
				lookedAtMs = monotonicMs();
				return statistics;
			},
		}),
		retune: () => {
			const {levelDbm, levelRatio} = last;
			last = {locked: false, ...(levelDbm !== undefined && {levelDbm}), ...(levelRatio !== undefined && {levelRatio})};
		},
		forget: () => {
			last = unlocked;
		},
		reading: () => (monotonicMs() - lookedAtMs > ageMaxMs ? {locked: last.locked} : last),
	};
};

/** The contract's bounds, so that a driver's odd value is missing rather than the whole status. */
const within = (value: number | undefined, least: number, most: number): value is number =>
	value !== undefined && value >= least && value <= most;

/** What a statistic says of the signal on a carrier. The margin is above an ideal receiver's threshold. Pure. */
export const readSignal = (statistics: SignalStatistics, carrier: Carrier | undefined): SignalReading => {
	const {locked, levelDbm, levelRatio, cnrDb, bitErrorRatio} = statistics;
	const threshold = thresholdOf(carrier);
	return {
		locked,
		...(within(levelDbm, -150, 50) ? {levelDbm} : {}),
		...(within(levelRatio, 0, 1) ? {levelRatio} : {}),
		...(within(cnrDb, -20, 60) ? {cnrDb} : {}),
		...(within(bitErrorRatio, 0, 1) ? {bitErrorRatio} : {}),
		...(locked && threshold !== undefined && within(cnrDb, -20, 60)
			? {marginDb: Math.round((cnrDb - threshold) * 100) / 100}
			: {}),
	};
};

const thresholdOf = (carrier: Carrier | undefined): number | undefined =>
	carrier?.modulation === undefined || carrier.codeRate === undefined || carrier.system === 'DVB-S'
		? undefined
		: idealThresholdDb({name: `${carrier.modulation} ${carrier.codeRate}`, frame: 'normal'});
