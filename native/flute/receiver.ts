import {NativeError} from '../native-error.ts';
import {fluteAddon} from './addon.ts';
import type {FluteRange} from './receiver-event.ts';
import type {FluteEndpoint, FluteReceiverOptions, FluteReceiverStats} from './receiver-options.ts';

export type {FluteEvent, FluteObject, FluteRange} from './receiver-event.ts';
export type {
	FluteEndpoint,
	FluteReceiverLimits,
	FluteReceiverOptions,
	FluteReceiverStats,
} from './receiver-options.ts';

export type FluteReceiver = AsyncDisposable & {
	/** Throws NATIVE_PACKET_ADDRESS, NATIVE_PACKET_INTERFACE, NATIVE_PACKET_JOIN or NATIVE_PACKET_SOCKET. */
	readonly join: (endpoint: FluteEndpoint) => void;
	/** Objects that have begun stay; they end as idle ones do. */
	readonly leave: (endpoint: FluteEndpoint) => void;
	/** Byte ranges of the transport object that are not there; none for an unknown or complete object. */
	readonly missing: (id: number) => readonly FluteRange[];
	/** The complete byte ranges inside of the range asked for. */
	readonly available: (id: number, range: FluteRange) => readonly FluteRange[];
	/** Repaired bytes, at any alignment. Throws NATIVE_FLUTE_BUSY when 64 MiB wait already: come again. */
	readonly write: (id: number, offset: number, bytes: Uint8Array) => void;
	/** Not wanted: its file goes, `gave-up` comes, and its TOI is ignored until the FDT lets go of it. */
	readonly drop: (id: number) => void;
	/** A finished or dropped object is told again, under a new id, and received anew. */
	readonly forget: (object: {
		readonly group: string;
		readonly port: number;
		readonly tsi: number;
		readonly toi: string;
	}) => void;
	readonly stats: () => FluteReceiverStats;
	/** Ends the threads and removes what is incomplete. Idempotent. */
	readonly close: () => Promise<void>;
};

const mebibyte = 1024 * 1024;

const defaultLimits = {
	objectBytesMax: 8192 * mebibyte,
	objectsOpenMax: 16_384,
	openBytesMax: 16_384 * mebibyte,
	unknownBytesMax: 32 * mebibyte,
	fdtBytesMax: 4 * mebibyte,
	repairSymbolBytesMax: 64 * mebibyte,
	receiveBufferBytes: 16 * mebibyte,
} as const;

/** Opens a receiver with threads of its own. Throws NATIVE_FLUTE_ARGUMENT, or what join throws. */
export const openFluteReceiver = (options: FluteReceiverOptions): FluteReceiver => {
	if (options.directory === '') {
		throw new NativeError('NATIVE_FLUTE_ARGUMENT', "'directory' must name a directory");
	}
	const native = new fluteAddon.FluteReceiver({
		directory: options.directory,
		objectIdleMs: options.objectIdleMs ?? 2000,
		progressIntervalMs: options.progressIntervalMs ?? 250,
		limits: {...defaultLimits, ...options.limits},
		onEvents: options.onEvents,
	});
	let closing: Promise<void> | undefined;
	const close = (): Promise<void> => {
		closing ??= native.close();
		return closing;
	};
	try {
		for (const endpoint of options.endpoints ?? []) {
			native.join(endpoint);
		}
	} catch (error) {
		void close();
		throw error;
	}
	return {
		join: (endpoint) => native.join(endpoint),
		leave: (endpoint) => native.leave(endpoint),
		missing: (id) => native.missing({id}),
		available: (id, {offset, length}) => native.available({id, offset, length}),
		write: (id, offset, bytes) => native.write({id, offset, bytes}),
		drop: (id) => native.drop({id}),
		forget: ({group, port, tsi, toi}) => native.forget({group, port, tsi, toi}),
		stats: () => native.stats(),
		close,
		[Symbol.asyncDispose]: close,
	};
};
