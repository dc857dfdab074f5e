import {loadAddon} from '../load-addon.ts';

export type PacketEndpoint = {
	/** Numeric IPv4 or IPv6 address; a unicast one is bound without a join. */
	readonly group: string;
	readonly port: number;
	/** Source-specific join. */
	readonly source?: string;
	/** An address of the interface, or its name. */
	readonly interfaceAddress?: string;
};

/** Datagrams in the order in which they came, one behind the other in `bytes`. */
export type PacketBatch = {
	readonly bytes: Buffer;
	readonly lengths: Uint32Array;
	/** What `join` answered for the endpoint of each. */
	readonly endpoints: Uint32Array;
};

export type PacketReceiverOptions = {
	readonly receiveBufferBytes?: number;
	/** Longer datagrams are dropped and counted. */
	readonly datagramBytesMax?: number;
	/** What waits for JavaScript; beyond it datagrams are dropped and counted. */
	readonly queueBytesMax?: number;
	/** Let the kernel coalesce datagrams of one sender; `lengths` are still those of the datagrams. */
	readonly gro?: boolean;
	readonly onBatch: (batch: PacketBatch) => void;
};

export type PacketReceiverStats = {
	readonly datagrams: number;
	readonly bytes: number;
	readonly kernelDrops: number;
	readonly truncated: number;
	readonly dropped: number;
};

export type PacketReceiver = AsyncDisposable & {
	/** Throws NATIVE_PACKET_ARGUMENT, _ADDRESS, _INTERFACE, _JOIN, _SOCKET or _LIMIT. */
	readonly join: (endpoint: PacketEndpoint) => number;
	readonly leave: (endpoint: number) => void;
	readonly stats: () => PacketReceiverStats;
	readonly close: () => Promise<void>;
};

export type PacketSenderOptions = {
	readonly interfaceAddress?: string;
	readonly ttl?: number;
	readonly sendBufferBytes?: number;
	/** IP layer; as fast as it goes when absent. */
	readonly rateBps?: number;
	readonly burstBytesMax?: number;
	/** What waits to be sent; beyond it batches are dropped and counted. */
	readonly queueBytesMax?: number;
};

export type PacketSenderStats = {
	readonly datagrams: number;
	readonly bytes: number;
	readonly dropped: number;
	readonly failed: number;
	readonly queuedBytes: number;
};

export type OutgoingBatch = {
	readonly destination: {readonly group: string; readonly port: number};
	/** The datagrams one behind the other; copied before the call returns. */
	readonly bytes: Uint8Array;
	readonly lengths: Uint32Array;
};

export type PacketSender = AsyncDisposable & {
	/** False when the batch was dropped because the queue is full. */
	readonly send: (batch: OutgoingBatch) => boolean;
	/** Until all that was queued has left. */
	readonly drain: (options: {readonly signal: AbortSignal}) => Promise<void>;
	readonly stats: () => PacketSenderStats;
	/** Ends at once; what is still queued is not sent. */
	readonly close: () => Promise<void>;
};

type NativeReceiver = Omit<PacketReceiver, 'leave' | typeof Symbol.asyncDispose> & {
	readonly leave: (options: {readonly endpoint: number}) => void;
};
type NativeSender = Omit<PacketSender, 'drain' | typeof Symbol.asyncDispose>;
type PacketAddon = {
	readonly PacketReceiver: new (options: object) => NativeReceiver;
	readonly PacketSender: new (options: object) => NativeSender;
};

const addon = loadAddon('packet') as PacketAddon;

const receiverDefaults = {receiveBufferBytes: 4 * 1024 * 1024, datagramBytesMax: 2048, queueBytesMax: 16 * 1024 * 1024};
const senderDefaults = {
	ttl: 1,
	sendBufferBytes: 4 * 1024 * 1024,
	rateBps: 0,
	burstBytesMax: 65_536,
	queueBytesMax: 16 * 1024 * 1024,
};

/** Opens a receiver with a thread of its own that has no endpoint yet. */
export const openPacketReceiver = (options: PacketReceiverOptions): PacketReceiver => {
	const native = new addon.PacketReceiver({...receiverDefaults, ...defined(options)});
	let closed: Promise<void> | undefined;
	const close = (): Promise<void> => {
		closed ??= native.close();
		return closed;
	};
	return {
		join: (endpoint) => native.join(endpoint),
		leave: (endpoint) => native.leave({endpoint}),
		stats: () => native.stats(),
		close,
		[Symbol.asyncDispose]: close,
	};
};

/** Opens a sender with a thread of its own. Throws NATIVE_PACKET_ARGUMENT or NATIVE_PACKET_INTERFACE. */
export const openPacketSender = (options: PacketSenderOptions): PacketSender => {
	const waiting = new Set<() => void>();
	const settle = (): void => {
		if (closed !== undefined || native.stats().queuedBytes === 0) {
			for (const resolve of waiting) {
				resolve();
			}
			waiting.clear();
		}
	};
	const native = new addon.PacketSender({...senderDefaults, ...defined(options), onIdle: settle});
	let closed: Promise<void> | undefined;
	const close = (): Promise<void> => {
		closed ??= native.close().then(settle);
		return closed;
	};
	return {
		send: (batch) => native.send(batch),
		drain: async ({signal}) => {
			signal.throwIfAborted();
			if (closed !== undefined || native.stats().queuedBytes === 0) {
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
		stats: () => native.stats(),
		close,
		[Symbol.asyncDispose]: close,
	};
};

/** Without the keys whose value is undefined, which would hide a default. */
const defined = (options: object): object =>
	Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
