import {loadAddon} from '../load-addon.ts';
import type {Modcod, TransmitChain} from './modem.ts';
import type {ModulatorTotals} from './modulator.ts';

export type NativeModulatorTotals = ModulatorTotals & {readonly idle: boolean; readonly failure?: string};

export type NativeModulator = {
	readonly write: (portion: object) => boolean;
	readonly totals: () => NativeModulatorTotals;
	readonly close: () => Promise<void>;
};

type ModemAddon = {
	readonly listModcods: () => readonly Modcod[];
	readonly TransmitChain: new (options: object) => TransmitChain;
	readonly Modulator: new (options: object) => NativeModulator;
};

/** The one importer of the addon; loading it starts nothing. */
export const addon = loadAddon('modem') as ModemAddon;
