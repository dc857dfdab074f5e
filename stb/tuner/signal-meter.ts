import {idealThresholdDb} from '#appliance/contract/ideal-threshold.ts';
import type {StbTuner} from '#appliance/contract/stb-status-schema.ts';
import type {SignalStatistics} from '#native/dvb/tuner.ts';
import type {Carrier} from '#stb/tuner/carrier.ts';

/** What the tuner measured last, in the words of the box's status. */
export type SignalReading = Omit<StbTuner, 'name' | 'work'> & {
	readonly marginDb?: number;
};

export const unlocked: SignalReading = {locked: false};

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
