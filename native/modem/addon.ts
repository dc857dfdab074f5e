import {loadAddon} from '../load-addon.ts';
import type {Modcod, TransmitChain} from './modem.ts';
import type {ModulatorTotals} from './modulator.ts';
import type {ReceivedFrame, ReceiverTotals} from './receiver.ts';

export type NativeModulatorTotals = ModulatorTotals & {readonly idle: boolean; readonly failure?: string};

export type NativeModulator = {
	readonly write: (portion: object) => boolean;
	readonly totals: () => NativeModulatorTotals;
	readonly close: () => Promise<void>;
};

/** One call at a time. */
export type NativeReceiver = {
	readonly write: (bytes: Uint8Array) => Promise<readonly ReceivedFrame[]>;
	readonly finish: () => Promise<readonly ReceivedFrame[]>;
	readonly totals: () => ReceiverTotals;
	readonly constellation: () => Float32Array;
};

type ModemAddon = {
	readonly listModcods: () => readonly Modcod[];
	readonly TransmitChain: new (options: object) => TransmitChain;
	readonly Modulator: new (options: object) => NativeModulator;
	readonly Receiver: new (options: object) => NativeReceiver;
};

/** The one importer of the addon; loading it starts nothing. */
export const addon = loadAddon('modem') as ModemAddon;
