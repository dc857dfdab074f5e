import {CodedError} from '#appliance/error/coded-error.ts';
import type {CliErrorCode} from '#cli/error-code.ts';
import {Analysis} from '#cli/probe/analysis.ts';
import {buildReport} from '#cli/probe/report/build-report.ts';
import type {ProbeReport, SignalReport} from '#cli/probe/report/probe-report.ts';
import {findSource, type SampleFormat, type Source} from '#cli/probe/source/find-source.ts';
import {listen} from '#cli/probe/source/listen.ts';
import {readCaptureFile, readStreamFile} from '#cli/probe/source/read-file.ts';
import {readSamplesFile, type SamplesOptions} from '#cli/probe/source/read-samples.ts';
import {readTuner} from '#cli/probe/source/read-tuner.ts';
import {openTuner} from '#native/dvb/dvb.ts';
import type {Antenna, SatelliteTuning} from '#native/dvb/tuner.ts';

export type ProbeOptions = {
	readonly source: string;
	/** Of a group or a tuner. */
	readonly forMs: number;
	readonly interfaceAddress?: string | undefined;
	readonly follows: boolean;
	/** Of a file of packets or frames that tells no time. */
	readonly bitRateBps?: number | undefined;
	readonly samples?: SampleFormat | undefined;
	/** Of samples. */
	readonly tuning: Pick<SamplesOptions, 'symbolRate' | 'samplesPerSymbol' | 'rollOff' | 'goldIndex'>;
	/** Of a tuner: where it looks. */
	readonly carrier?: {readonly tuning: SatelliteTuning; readonly antenna: Antenna} | undefined;
	readonly signal: AbortSignal;
	/** `total` is missing for what has no end. */
	readonly onProgress: (progress: {readonly bytes: number; readonly total?: number | undefined}) => void;
};

type Read = {readonly bytes: number; readonly hasClock: boolean; readonly signal?: SignalReport};

/**
 * Finds out what is on a source.
 * @throws CodedError CLI_PROBE_…, NATIVE_PACKET_…
 */
export const runProbe = async (options: ProbeOptions): Promise<ProbeReport> => {
	const source = await findSource(options.source, options.samples);
	const analysis = new Analysis();
	const read = await readSource(analysis, source, options);
	return buildReport(analysis, {name: options.source, kind: source.kind, ...read});
};

const readCarrier = async (
	analysis: Analysis,
	{adapter, frontend}: Extract<Source, {kind: 'tuner'}>,
	{carrier, forMs, signal, onProgress}: ProbeOptions,
): Promise<Read> => {
	if (carrier === undefined) {
		throw new CodedError<CliErrorCode>('CLI_PROBE_SOURCE_UNKNOWN', {
			message: 'A tuner must be told where to look: --frequency and --symbol-rate.',
		});
	}
	await using tuner = openTuner({kind: 'kernel', adapter, frontend});
	const {bytes} = await readTuner(analysis, {
		...{tuner, ...carrier, forMs, signal},
		onProgress: (count) => onProgress({bytes: count}),
	});
	return {bytes, hasClock: true};
};

const readSource = async (analysis: Analysis, source: Source, options: ProbeOptions): Promise<Read> => {
	const {signal, onProgress, forMs, follows, interfaceAddress, bitRateBps} = options;
	if (source.kind === 'tuner') {
		return await readCarrier(analysis, source, options);
	}
	if (source.kind === 'multicast') {
		const {group, port, source: only} = source;
		const endpoint = {group, port, ...(only && {source: only}), ...(interfaceAddress && {interfaceAddress})};
		const tell = (bytes: number): void => onProgress({bytes});
		const {bytes} = await listen(analysis, {endpoint, forMs, follows, signal, onProgress: tell});
		if (bytes === 0) {
			throw new CodedError<CliErrorCode>('CLI_PROBE_SILENT', {
				message: `Nothing came to ${group}:${port} in ${forMs / 1000} s. Is it joined on the right --interface?`,
			});
		}
		return {bytes, hasClock: true};
	}
	const {path, sizeBytes} = source;
	const reading = {path, signal, onProgress: (bytes: number): void => onProgress({bytes, total: sizeBytes})};
	if (source.kind === 'capture') {
		await readCaptureFile(analysis, reading);
		return {bytes: sizeBytes, hasClock: true};
	}
	if (source.kind === 'samples') {
		const found = await readSamplesFile(analysis, {...reading, ...options.tuning, format: source.format});
		return {bytes: sizeBytes, hasClock: true, signal: found};
	}
	return {...(await readStreamFile(analysis, {...reading, bitRateBps})), bytes: sizeBytes};
};
