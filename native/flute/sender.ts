import {NativeError} from '../native-error.ts';
import {fluteAddon} from './addon.ts';
import type {NativeFluteSender} from './native-flute-sender.ts';
import type {FluteSendEvent} from './sender-event.ts';
import type {FluteJob, FluteLane, FluteLaneState} from './sender-job.ts';

export type {FluteSendEvent} from './sender-event.ts';
export type {FluteFec, FluteJob, FluteLane, FluteLaneState, FluteSource} from './sender-job.ts';

export type FluteSenderOptions = {
	/** IP layer: UDP payload and 28 bytes of header (48 with IPv6). */
	readonly rateBps: number;
	/** The most that goes at once to make up for a late wake-up. */
	readonly burstBytesMax?: number;
	/** An address of the interface that multicast leaves by, or its name; the routing table's choice by default. */
	readonly interfaceAddress?: string;
	readonly ttl?: number;
	readonly sendBufferBytes?: number;
	readonly lanes: readonly FluteLane[];
	/** Every job ends with one `sent` or `failed`. */
	readonly onEvents: (events: readonly FluteSendEvent[]) => void;
};

export type FluteSenderStats = {
	readonly packets: number;
	readonly wireBytes: number;
	/** How long there was something to send. */
	readonly busyMs: number;
	/** Sent / allowed - 1, over the spans of 100 ms and more in which there was always something to send; 0 without any. */
	readonly rateErrorRatio: number;
	readonly lanes: readonly FluteLaneState[];
};

export type FluteSender = AsyncDisposable & {
	/** Throws NATIVE_FLUTE_ARGUMENT, NATIVE_FLUTE_LANE, NATIVE_FLUTE_QUEUE_FULL or NATIVE_PACKET_ADDRESS. */
	readonly enqueue: (job: FluteJob) => number;
	/** The job ends with `failed`, code NATIVE_FLUTE_CANCELLED. False when it has ended already. */
	readonly cancel: (job: number) => boolean;
	readonly setRate: (rateBps: number) => void;
	readonly stats: () => FluteSenderStats;
	/** Until every job has ended. */
	readonly drain: (options: {readonly signal: AbortSignal}) => Promise<void>;
	/** Ends at once, in the middle of a job if need be; jobs that have not ended get no event. */
	readonly close: () => Promise<void>;
};

const defaults = {burstBytesMax: 65_536, ttl: 1, sendBufferBytes: 4 * 1024 * 1024, widthBits: 32} as const;

/** Opens a sender with a thread of its own. Throws NATIVE_FLUTE_ARGUMENT or NATIVE_PACKET_INTERFACE. */
export const openFluteSender = (options: FluteSenderOptions): FluteSender => {
	if (options.lanes.length === 0 || new Set(options.lanes.map(({name}) => name)).size !== options.lanes.length) {
		throw new NativeError('NATIVE_FLUTE_ARGUMENT', "'lanes' must be at least one, each with a name of its own");
	}
	if (typeof options.onEvents !== 'function') {
		throw new NativeError('NATIVE_FLUTE_ARGUMENT', "'onEvents' must be a function");
	}
	const open = new Set<number>();
	const waiting = new Set<() => void>();
	const settle = (): void => {
		for (const resolve of waiting) {
			resolve();
		}
		waiting.clear();
	};
	const onEvents = (events: readonly FluteSendEvent[]): void => {
		for (const event of events) {
			if (event.kind !== 'started') {
				open.delete(event.job);
			}
		}
		if (open.size === 0) {
			settle();
		}
		options.onEvents(events);
	};
	const native: NativeFluteSender = new fluteAddon.FluteSender({...defaults, ...defined(options), onEvents});
	let closed: Promise<void> | undefined;
	const close = (): Promise<void> => {
		closed ??= native.close().then(settle);
		return closed;
	};
	return {
		enqueue: (job) => {
			const id = native.enqueue({widthBits: defaults.widthBits, ...defined(job)});
			open.add(id);
			return id;
		},
		cancel: (job) => native.cancel(job),
		setRate: (rateBps) => native.setRate({rateBps}),
		stats: () => native.stats(),
		drain: async ({signal}) => {
			signal.throwIfAborted();
			if (open.size === 0 || closed !== undefined) {
				return;
			}
			const {promise, resolve, reject} = Promise.withResolvers<void>();
			const abort = (): void => reject(signal.reason);
			signal.addEventListener('abort', abort, {once: true});
			waiting.add(resolve);
			try {
				await promise;
			} finally {
				signal.removeEventListener('abort', abort);
				waiting.delete(resolve);
			}
		},
		close,
		[Symbol.asyncDispose]: close,
	};
};

/** Without the keys whose value is undefined, which would hide a default. */
const defined = (options: object): object =>
	Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
