import type {Logger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Tuner} from '#native/dvb/tuner.ts';
import {NativeError} from '#native/native-error.ts';
import type {Carrier} from '#stb/tuner/carrier.ts';
import type {TunerConfig} from '#stb/tuner/tuner-config.ts';

/** What the driver, or our own check of a word on the cable, says of a carrier and not of the device. */
const beyondReach: ReadonlySet<string> = new Set(['NATIVE_DVB_REFUSED', 'NATIVE_DVB_ARGUMENT']);

/** False for a carrier that the driver or the antenna cannot reach: the others may be within reach. */
export const tuneCarrier = async (
	tuner: Pick<Tuner, 'tune'>,
	carrier: Carrier,
	options: {readonly config: TunerConfig; readonly logger: Logger; readonly signal: AbortSignal},
): Promise<boolean> => {
	const {config, logger, signal} = options;
	try {
		await tuner.tune(carrier, config.antenna, {signal});
		return true;
	} catch (error) {
		if (!(error instanceof NativeError) || !beyondReach.has(error.code)) {
			throw error;
		}
		logger.warn({err: error, carrier}, 'this carrier cannot be tuned to');
		await sleep(config.statisticsIntervalMs, {signal});
		return false;
	}
};
