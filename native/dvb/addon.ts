import {loadAddon} from '../load-addon.ts';
import type {ReadingStats, SignalStatistics, TunerFacts} from './tuner.ts';

export type NativeBatch = {
	/** One read behind the other. */
	readonly bytes: Buffer;
	/** Of sections only: where each ends. */
	readonly lengths: Uint32Array;
	readonly ended: boolean;
};

export type NativeReader = {
	readonly stats: () => ReadingStats & {readonly error?: Error};
	readonly close: () => Promise<void>;
};

export type NativeFrontend = {
	readonly tune: (tuning: object, antenna: object) => Promise<void>;
	readonly statistics: () => Promise<SignalStatistics>;
	readonly close: () => Promise<void>;
};

/** A step on the cable, as it would be sent. */
export type ControlStep =
	| {readonly kind: 'voltage'; readonly volts: 13 | 18}
	| {readonly kind: 'tone'; readonly on: boolean}
	| {readonly kind: 'burst'; readonly position: 'a' | 'b'}
	| {readonly kind: 'message'; readonly bytes: Buffer}
	| {readonly kind: 'wait'; readonly ms: number};

export type TuningPlan = {
	readonly steps: readonly ControlStep[];
	/** For FE_SET_PROPERTY, by the kernel's numbers. */
	readonly properties: readonly {readonly command: number; readonly value: number}[];
	/** Where the carrier lies on the cable. */
	readonly tunerKhz: number;
};

type DvbAddon = {
	readonly Frontend: new (options: object) => NativeFrontend;
	readonly Reader: new (options: object) => NativeReader;
	readonly listFrontends: () => Promise<readonly TunerFacts[]>;
	readonly planTuning: (tuning: object, antenna: object) => TuningPlan;
	readonly addNetInterface: (options: object) => string;
	readonly removeNetInterface: (options: object) => void;
};

export const dvbAddon = loadAddon('dvb') as DvbAddon;
