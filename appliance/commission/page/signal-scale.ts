import type {TunerStatus} from '#appliance/contract/tuner-status-schema.ts';

/** What an LNB and 30 m of cable give, from the worst that a tuner still locks on to the best. */
const levelDbmMin = -75;
const levelDbmMax = -25;
/** DVB-S2 QPSK 1/4 needs less than 0 dB, 32APSK 9/10 about 16 (ETSI EN 302 307-1 table 13). */
const cnrDbMax = 20;
/** Below one error in 10^7 bits nothing reaches the picture; above one in 100 nothing is left of it. */
const errorExponentMin = -7;
const errorExponentMax = -2;

const clamp = (ratio: number): number => Math.min(1, Math.max(0, ratio));

/** A value as a share of its bar, and in the words that stand beside it. */
export type Reading = {readonly ratio: number; readonly text: string};

export const readLevel = ({levelDbm, levelRatio}: TunerStatus): Reading | undefined => {
	if (levelDbm !== undefined) {
		const ratio = clamp((levelDbm - levelDbmMin) / (levelDbmMax - levelDbmMin));
		return {ratio, text: `${levelDbm.toFixed(1).replace('-', '−')} dBm`};
	}
	return levelRatio === undefined ? undefined : {ratio: levelRatio, text: `${Math.round(levelRatio * 100)} %`};
};

export const readNoise = ({cnrDb}: TunerStatus): Reading | undefined =>
	cnrDb === undefined ? undefined : {ratio: clamp(cnrDb / cnrDbMax), text: `${cnrDb.toFixed(1).replace('-', '−')} dB`};

/** A long bar is a good one here, too: it grows as the errors go. Without a lock there are no bits to be right or wrong. */
export const readErrors = ({locked, bitErrorRatio}: TunerStatus): Reading | undefined => {
	if (!locked || bitErrorRatio === undefined) {
		return undefined;
	}
	if (bitErrorRatio === 0) {
		return {ratio: 1, text: 'none'};
	}
	const ratio = clamp((errorExponentMax - Math.log10(bitErrorRatio)) / (errorExponentMax - errorExponentMin));
	return {ratio, text: bitErrorRatio.toExponential(1).replace(/e-(\d+)$/u, asPower)};
};

const asPower = (_: string, digits: string): string =>
	` · 10⁻${[...digits].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('')}`;

/** Where the locked part of the aim begins. */
export const lockRatio = 0.5;

/**
 * What a dish is turned by, on one scale: below the middle the level leads to a signal, above it the noise leads to the
 * best place, since it tells that more finely. So a lock that comes never lowers the aim, and one that goes never raises it.
 */
export const readAim = (tuner: TunerStatus): Reading | undefined => {
	const [level, noise] = [readLevel(tuner), readNoise(tuner)];
	const measured = tuner.locked ? (noise ?? level) : (level ?? noise);
	if (measured === undefined) {
		return undefined;
	}
	const ratio = tuner.locked ? lockRatio + (1 - lockRatio) * measured.ratio : lockRatio * measured.ratio;
	return {ratio, text: `${Math.round(ratio * 100)} %`};
};

export const lowestHz = 220;
/** From the lowest tone to the highest: what an ear tells apart well, and a telephone's speaker still plays. */
const octaves = 3;

/** Three octaves over the whole scale, so that equal steps of the aim are equal steps of the tone. */
export const toneHz = (ratio: number): number => lowestHz * 2 ** (octaves * Math.min(1, Math.max(0, ratio)));
