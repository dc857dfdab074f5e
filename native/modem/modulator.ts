import {NativeError} from '../native-error.ts';
import {addon, type NativeModulatorTotals} from './addon.ts';
import {rollOffFields, type rollOffs} from './roll-off.ts';

/** What goes into the modulator. Streams that have frames take turns. */
export type ModulatorStream = {
	/** MODCOD of its frames, as `listModcods` tells it. */
	readonly pls: number;
	/** A transport stream of any portions, sliced here, or whole BBFRAMEs with their headers, not scrambled. */
	readonly input: 'ts' | 'bbframe';
	/** Of a transport stream among several; absent where it is the only one. */
	readonly isi?: number;
};

export type ModulatorOutput =
	/** A file or a named pipe. */
	| {readonly kind: 'file'; readonly path: string}
	/** Samples one behind the other in datagrams of at most 1440 bytes, without a header. */
	| {
			readonly kind: 'udp';
			readonly address: string;
			readonly port: number;
			readonly interfaceAddress?: string;
			readonly ttl?: number;
	  }
	/** A transmitter that SoapySDR knows; `arguments` choose its driver: `driver=lime,serial=…`. */
	| {
			readonly kind: 'soapy';
			readonly arguments: string;
			readonly frequencyHz: number;
			readonly gainDb: number;
			readonly channel?: number;
			readonly antenna?: string;
	  };

export type ModulatorOptions = {
	readonly streams: readonly ModulatorStream[];
	readonly output: ModulatorOutput;
	/** Symbols per second. */
	readonly symbolRate: number;
	readonly samplesPerSymbol: {readonly interpolate: number; readonly decimate: number};
	readonly rollOff: (typeof rollOffs)[number];
	/** Of the physical layer's scrambling sequence. */
	readonly goldIndex?: number;
	/** Of samples: two floats, or two 16-bit integers of which 8192 is a unit amplitude; integers unless said. */
	readonly format?: 'float' | 'integer';
	/** Whether samples leave at their rate, with dummy PLFRAMEs where there is no data; else as fast as they are taken. */
	readonly paced?: boolean;
	/** BBFRAMEs that wait; half a second of them unless said. */
	readonly queueBytesMax?: number;
};

export type ModulatorTotals = {
	readonly frames: number;
	/** Sent because there was no data. */
	readonly dummyFrames: number;
	readonly symbols: number;
	readonly samples: number;
	/** Times that samples came later than the clock, or the transmitter, wanted them. */
	readonly underruns: number;
	readonly queuedBytes: number;
};

export type Modulator = AsyncDisposable & {
	/**
	 * False when it does not fit into the queue: nothing is taken then. `pls` is of these BBFRAMEs (VCM). Throws
	 * NATIVE_MODEM_INPUT for what is out of step or not whole, NATIVE_MODEM_OUTPUT once the output has failed.
	 */
	readonly write: (portion: {readonly stream: number; readonly bytes: Uint8Array; readonly pls?: number}) => boolean;
	/** Until half of the queue is free. Throws NATIVE_MODEM_OUTPUT. */
	readonly room: (options: {readonly signal: AbortSignal}) => Promise<void>;
	/** Until all frames were written. Throws NATIVE_MODEM_OUTPUT. */
	readonly drain: (options: {readonly signal: AbortSignal}) => Promise<void>;
	readonly totals: () => ModulatorTotals;
	/** Ends at once; frames that still wait are not sent. */
	readonly close: () => Promise<void>;
};

const queueSeconds = 0.5;
/** No MODCOD carries more. */
const bitsPerSymbolMax = 8;
const queueBytesLeast = 65_536;

/** Throws NATIVE_MODEM_ARGUMENT, or NATIVE_MODEM_OUTPUT for an address that is none. */
export const openModulator = (options: ModulatorOptions): Modulator => {
	const native = new addon.Modulator({...nativeOptions(options), onChange: settle});
	const queueBytesMax = queueBytesOf(options);
	const waiting = new Set<Waiting>();
	let closed: Promise<void> | undefined;
	function settle(): void {
		const totals = native.totals();
		for (const each of waiting) {
			if (totals.failure !== undefined) {
				each.reject(outputError(totals.failure));
			} else if (closed !== undefined || each.isMet(totals)) {
				each.resolve();
			}
		}
	}
	const wait = async (isMet: Waiting['isMet'], signal: AbortSignal): Promise<void> => {
		signal.throwIfAborted();
		const {promise, resolve, reject} = Promise.withResolvers<void>();
		const each = {isMet, resolve, reject};
		const abort = (): void => reject(signal.reason);
		signal.addEventListener('abort', abort, {once: true});
		waiting.add(each);
		settle();
		try {
			await promise;
		} finally {
			signal.removeEventListener('abort', abort);
			waiting.delete(each);
		}
	};
	const close = (): Promise<void> => {
		closed ??= native.close().then(settle);
		return closed;
	};
	return {
		write: (portion) => {
			const taken = native.write(portion);
			const {failure} = taken ? {} : native.totals();
			if (failure !== undefined) {
				throw outputError(failure);
			}
			return taken;
		},
		room: ({signal}) => wait(({queuedBytes}) => queuedBytes * 2 <= queueBytesMax, signal),
		drain: ({signal}) => wait(({idle}) => idle, signal),
		totals: () => {
			const {idle: _idle, failure: _failure, ...totals} = native.totals();
			return totals;
		},
		close,
		[Symbol.asyncDispose]: close,
	};
};

type Waiting = {
	readonly isMet: (totals: NativeModulatorTotals) => boolean;
	readonly resolve: () => void;
	readonly reject: (reason: unknown) => void;
};

const outputError = (failure: string): NativeError => new NativeError('NATIVE_MODEM_OUTPUT', failure);

const queueBytesOf = ({queueBytesMax, symbolRate}: ModulatorOptions): number =>
	queueBytesMax ?? Math.max(queueBytesLeast, Math.ceil((symbolRate * bitsPerSymbolMax * queueSeconds) / 8));

const nativeOptions = (options: ModulatorOptions): object => {
	const {
		streams,
		output,
		symbolRate,
		samplesPerSymbol,
		rollOff,
		goldIndex = 0,
		format = 'integer',
		paced = true,
	} = options;
	const {interpolate, decimate} = samplesPerSymbol;
	const variableCoding = new Set(streams.map(({pls}) => pls)).size > 1;
	return {
		streams: streams.map(({pls, input, isi}) => ({
			...{pls, transport: input === 'ts', variableCoding, ...rollOffFields(rollOff)},
			...(isi === undefined ? {} : {isi}),
		})),
		...{output, goldIndex, rollOff, interpolate, decimate, paced, integers: format === 'integer'},
		sampleRate: (symbolRate * interpolate) / decimate,
		queueBytesMax: queueBytesOf(options),
	};
};
