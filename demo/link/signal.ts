import type {SignalForm} from '#demo/options.ts';
import {type Decapsulator, openDecapsulator} from '#native/link/link.ts';

/** Receivers give datagrams back with this source, by which they differ from those of the headend on the same machine. */
export const dishAddress = '127.0.0.2';
const host = '127.0.0.1';

export type SignalOptions = {
	readonly form: Exclude<SignalForm, 'ip'>;
	readonly symbolRateKsps: number;
	/** Of this machine, for the stream from the headend to the dish. */
	readonly port: number;
};

/** Of a transponder that leaves about 20 Mbit/s for IP with 8PSK 3/4: as much as the demo sends without one. */
export const demoSymbolRateKsps = 9600;

/** Sections of a headend's configuration; the rate follows from the transponder. */
export const signalSections = ({form, symbolRateKsps, port}: SignalOptions) => ({
	network: {
		linkLayerFormat: form === 'gse' ? 'GSE-Lite' : 'TS',
		satellite: {symbolRateKsps, modulation: '8PSK', codeRate: '3/4', pilots: true},
	},
	output: {form, destination: {group: host, port}, interfaceAddress: host},
});

/** The stand-in for dish, tuner and demultiplexer: takes the stream and gives its datagrams back to their groups. */
export const openDish = ({port}: SignalOptions): Decapsulator =>
	openDecapsulator({
		input: {kind: 'udp', group: host, port},
		emit: {interfaceAddress: host, sourceAddress: dishAddress},
	});
