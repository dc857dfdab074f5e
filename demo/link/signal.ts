import {type Impairment, openSampleDish} from '#demo/link/sample-dish.ts';
import type {SignalForm} from '#demo/options.ts';
import {findModcod} from '#headend/uplink/find-modcod.ts';
import {type Decapsulator, openDecapsulator} from '#native/link/link.ts';
import type {ReceiverTotals} from '#native/modem/receiver.ts';

/** Receivers give datagrams back with this source, by which they differ from those of the headend on the same machine. */
export const dishAddress = '127.0.0.2';
const host = '127.0.0.1';
const rollOff = 0.2;
const samplesPerSymbol = 2;

export type SignalOptions = {
	readonly form: Exclude<SignalForm, 'ip'>;
	readonly symbolRateKsps: number;
	readonly modulation: '8PSK' | '32APSK';
	readonly codeRate: string;
	/** Of this machine, for the stream from the headend to the dish. */
	readonly port: number;
};

/** Stands for dish, tuner and demultiplexer. */
export type Dish = AsyncDisposable &
	Pick<Decapsulator, 'stats' | 'contents'> & {
		/** Of the samples themselves. */
		readonly signal?: () => Promise<ReceiverTotals>;
	};

/**
 * Of the demo. 8PSK leaves about 20 Mbit/s for IP, as much as is sent without a transponder; samples are demodulated by a
 * test receiver, which holds a fraction of that on one core.
 */
export const demoTransponder = (form: SignalOptions['form']): Omit<SignalOptions, 'form' | 'port'> =>
	form === 'iq'
		? {symbolRateKsps: 400, modulation: '32APSK', codeRate: '9/10'}
		: {symbolRateKsps: 9600, modulation: '8PSK', codeRate: '3/4'};

const satelliteOf = ({symbolRateKsps, modulation, codeRate}: SignalOptions) =>
	({symbolRateKsps, modulation, codeRate, pilots: true, rollOff: rollOff.toFixed(2), frame: 'normal'}) as const;

/** Sections of a headend's configuration; the rate follows from the transponder. */
export const signalSections = (signal: SignalOptions) => {
	const {form, port} = signal;
	const destination = {group: host, port};
	return {
		network: {linkLayerFormat: form === 'gse' ? 'GSE-Lite' : 'TS', satellite: satelliteOf(signal)},
		output:
			form === 'iq'
				? {form, samples: {kind: 'udp', destination, interfaceAddress: host}, samplesPerSymbol}
				: {form, destination, interfaceAddress: host},
	};
};

/** Takes the signal and gives its datagrams back to their groups. */
export const openDish = (signal: SignalOptions, impair?: Impairment): Dish => {
	const emit = {interfaceAddress: host, sourceAddress: dishAddress};
	const {form, port} = signal;
	if (form !== 'iq') {
		return openDecapsulator({input: {kind: 'udp', group: host, port}, emit});
	}
	const {bbFrameBits} = findModcod(satelliteOf(signal));
	return openSampleDish({port, host, bbFrameBits, emit, impair, receiver: {samplesPerSymbol, rollOff}});
};
