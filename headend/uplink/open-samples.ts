import {errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import type {SatelliteConfig} from '#headend/network-config-schema.ts';
import type {OutputConfig} from '#headend/uplink/output-schema.ts';
import type {LinkRate} from '#native/link/link-format.ts';
import type {Modcod} from '#native/modem/modem.ts';
import {type ModulatorOptions, type ModulatorOutput, openModulator} from '#native/modem/modulator.ts';

/**
 * The encapsulator runs by this machine's clock and the modulator by the transmitter's. It is given so much less, which
 * is more than two crystals differ, and the modulator fills what is missing with dummy frames instead of losing frames.
 */
const clockDifference = {numerator: 4999, denominator: 5000} as const;

const divisorOf = (a: number, b: number): number => (b === 0 ? a : divisorOf(b, a % b));

export type SampleOutput = AsyncDisposable & {
	/** What the encapsulator may bring. */
	readonly rate: (rate: LinkRate) => LinkRate;
	readonly onBytes: (bytes: Buffer) => void;
	readonly stats: () => {readonly underruns: number; readonly lostBytes: number};
};

type SamplesConfig = Extract<OutputConfig, {form: 'iq'}>;

const modulatorOutput = ({samples}: SamplesConfig, {frequencyKhz}: SatelliteConfig): ModulatorOutput => {
	switch (samples.kind) {
		case 'file':
			return {kind: 'file', path: samples.path};
		case 'udp': {
			const {destination, ttl, interfaceAddress} = samples;
			const {group: address, port} = destination;
			return {kind: 'udp', address, port, ttl, ...(interfaceAddress === undefined ? {} : {interfaceAddress})};
		}
		case 'soapy':
			return {
				kind: 'soapy',
				arguments: samples.device,
				frequencyHz: (samples.frequencyKhz ?? frequencyKhz) * 1000,
				gainDb: samples.gainDb,
			};
	}
};

/** Opens the modulator behind the encapsulator. Throws NATIVE_MODEM_ARGUMENT or NATIVE_MODEM_OUTPUT. */
export const openSamples = (options: {
	readonly output: SamplesConfig;
	readonly satellite: SatelliteConfig;
	readonly modcod: Modcod;
	readonly input: 'ts' | 'bbframe';
	readonly onFailed: (error: {readonly code: string; readonly message: string}) => void;
}): SampleOutput => {
	const {output, satellite, modcod, input, onFailed} = options;
	const modulator = openModulator({
		streams: [{pls: modcod.pls, input}],
		output: modulatorOutput(output, satellite),
		symbolRate: satellite.symbolRateKsps * 1000,
		samplesPerSymbol: {interpolate: output.samplesPerSymbol, decimate: 1},
		rollOff: Number(satellite.rollOff) as ModulatorOptions['rollOff'],
		goldIndex: satellite.scramblingSequenceIndex,
		format: output.format,
	});
	let lostBytes = 0;
	let hasFailed = false;
	return {
		rate: (rate) => {
			const [bits, seconds] = [rate.bits * clockDifference.numerator, rate.seconds * clockDifference.denominator];
			const divisor = divisorOf(bits, seconds);
			return {bits: bits / divisor, seconds: seconds / divisor};
		},
		onBytes: (bytes) => {
			try {
				lostBytes += hasFailed || modulator.write({stream: 0, bytes}) ? 0 : bytes.length;
			} catch (error) {
				hasFailed = true;
				onFailed({code: errorCode(error) ?? 'NATIVE_MODEM_OUTPUT', message: errorMessage(error)});
			}
		},
		stats: () => ({underruns: modulator.totals().underruns, lostBytes}),
		[Symbol.asyncDispose]: () => modulator.close(),
	};
};
