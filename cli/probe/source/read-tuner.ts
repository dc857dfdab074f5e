import {CodedError} from '#appliance/error/coded-error.ts';
import type {CliErrorCode} from '#cli/error-code.ts';
import type {Analysis} from '#cli/probe/analysis.ts';
import type {Antenna, SatelliteTuning, SignalStatistics, Tuner} from '#native/dvb/tuner.ts';
import {waitForLock} from '#native/dvb/wait-for-lock.ts';

/** A demodulator that searches by itself needs some seconds. */
const defaultLockTimeoutMs = 10_000;

export type ReadTunerOptions = {
	readonly tuner: Tuner;
	readonly tuning: SatelliteTuning;
	readonly antenna: Antenna;
	readonly lockTimeoutMs?: number;
	/** From the lock on. */
	readonly forMs: number;
	readonly signal: AbortSignal;
	readonly onProgress: (bytes: number) => void;
};

/**
 * Tunes, and reads the whole carrier for a while.
 * @throws CodedError CLI_PROBE_NO_LOCK, NATIVE_DVB_…
 */
export const readTuner = async (
	analysis: Analysis,
	{tuner, tuning, antenna, lockTimeoutMs = defaultLockTimeoutMs, forMs, signal, onProgress}: ReadTunerOptions,
): Promise<{readonly bytes: number}> => {
	await tuner.tune(tuning, antenna, {signal});
	const {lockMs, statistics} = await waitForLock(tuner, {timeoutMs: lockTimeoutMs, signal});
	if (lockMs === undefined) {
		throw new CodedError<CliErrorCode>('CLI_PROBE_NO_LOCK', {
			message:
				`${tuner.name} does not lock on ${tuning.frequencyKhz / 1000} MHz ${tuning.polarization}, ` +
				`${tuning.symbolRate} symbols/s, in ${lockTimeoutMs / 1000} s: ${measured(statistics)}.`,
		});
	}
	const over = AbortSignal.timeout(forMs);
	await using reading = tuner.read({pids: 'all', signal: AbortSignal.any([signal, over])});
	let bytes = 0;
	try {
		for await (const portion of reading) {
			const timeMs = performance.timeOrigin + performance.now();
			analysis.takeStream(portion, () => timeMs);
			bytes += portion.length;
			onProgress(bytes);
		}
	} catch (error) {
		if (!over.aborted || signal.aborted) {
			throw error;
		}
	}
	const {overruns, dropped, damaged} = reading.stats();
	if (overruns + dropped + damaged > 0) {
		analysis.findings.add({
			severity: 'note',
			clause: 'this machine',
			where: tuner.name,
			message: `Read too slowly ${overruns} times, ${dropped} bytes dropped, ${damaged} reads failed; they count as lost above`,
		});
	}
	return {bytes};
};

/** What there is instead of a lock, as far as the driver tells: it is what somebody at the dish asks next. */
const measured = ({levelDbm, cnrDb, signal: hasSignal, carrier}: SignalStatistics): string =>
	[
		levelDbm === undefined ? 'no level is told' : `level ${levelDbm.toFixed(1)} dBm`,
		cnrDb === undefined ? 'no C/N is told' : `C/N ${cnrDb.toFixed(1)} dB`,
		hasSignal ? 'there is a signal' : 'no signal',
		carrier ? 'with a carrier' : 'no carrier',
	].join(', ');
