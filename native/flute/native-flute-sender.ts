import type {FluteSenderStats} from './sender.ts';

/** The class as binding_sender.cpp exports it; sender.ts is what callers use. */
export type NativeFluteSender = {
	readonly enqueue: (job: object) => number;
	readonly cancel: (job: number) => boolean;
	readonly setRate: (options: {readonly rateBps: number}) => void;
	readonly stats: () => FluteSenderStats;
	readonly close: () => Promise<void>;
};
