import type {FluteRange} from './receiver-event.ts';
import type {FluteReceiverStats} from './receiver-options.ts';

/** The class as binding_receiver.cpp exports it; receiver.ts is what callers use. */
export type NativeFluteReceiver = {
	readonly join: (endpoint: object) => void;
	readonly leave: (endpoint: object) => void;
	readonly missing: (options: {readonly id: number}) => readonly FluteRange[];
	readonly available: (options: {
		readonly id: number;
		readonly offset: number;
		readonly length: number;
	}) => readonly FluteRange[];
	readonly write: (options: {readonly id: number; readonly offset: number; readonly bytes: Uint8Array}) => void;
	readonly drop: (options: {readonly id: number}) => void;
	readonly forget: (options: object) => void;
	readonly stats: () => FluteReceiverStats;
	readonly close: () => Promise<void>;
};
