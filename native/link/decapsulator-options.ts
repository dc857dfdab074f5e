import type {DamageKind} from './damage-kind.ts';
import type {LinkEndpoint, SatelliteDelivery} from './link-format.ts';

/** What is taken; all of it by default. */
export type DecoderSelection = {
	/** PIDs that carry IP though no PMT says so. */
	readonly pids?: readonly {readonly pid: number; readonly kind: 'mpe' | 'ule'}[];
	/** Services whose streams are taken; every other is only listed. */
	readonly serviceIds?: readonly number[];
	/** ISIs whose BBFRAMEs are taken. */
	readonly inputStreams?: readonly number[];
};

export type DecoderOptions = {
	/**
	 * `datagrams`: each write is one UDP payload: TS, RTP, or a BBFRAME by mode adaptation L.3, told apart by their first byte.
	 * `stream`: writes are parts of a stream of TS packets (bare, or pseudo packets around BBFRAMEs) or of BBFRAMEs.
	 */
	readonly input: 'datagrams' | 'stream';
	/** Of a stream of BBFRAMEs, when it is known; else found by their headers. */
	readonly bbFrameBits?: number;
	readonly select?: DecoderSelection;
};

/** IP datagrams one behind the other, in the order in which they came. */
export type LinkDatagrams = {
	readonly bytes: Buffer;
	readonly lengths: Uint32Array;
	/** PID of the MPE sections or SNDUs; 0xffff for GSE. */
	readonly pids: Uint16Array;
	/** ISI; 0xffff where there are no frames. */
	readonly inputStreams: Uint16Array;
	/** Bytes of the carrier before the one that completed it. */
	readonly positions: Float64Array;
	/** What the write that completed it said; the thread's own: Unix ms. */
	readonly timesMs: Float64Array;
};

export type LinkFinding = {
	readonly kind: DamageKind;
	/** 0xffff where there is none. */
	readonly pid: number;
	readonly inputStream: number;
	readonly position: number;
	readonly timeMs: number;
};

/** What one write brought. Of findings at most 4096; the counts in the statistics are complete. */
export type DecoderResult = {
	readonly datagrams: LinkDatagrams;
	readonly findings: readonly LinkFinding[];
};

export type FoundStream = {
	readonly pid: number;
	readonly streamType: number;
	/** Of data_broadcast_descriptor or data_broadcast_id_descriptor. */
	readonly dataBroadcastId?: number;
	/** How its IP is read; `none` where it is no IP or not selected. */
	readonly kind: 'mpe' | 'ule' | 'none';
};

export type FoundService = {
	readonly serviceId: number;
	readonly pmtPid: number;
	readonly name: string;
	readonly provider: string;
	readonly streams: readonly FoundStream[];
};

export type FoundTransport = {
	/** Of the BBFRAMEs it came in; 0xffff where there are none. */
	readonly inputStream: number;
	readonly transportStreamId?: number;
	readonly originalNetworkId?: number;
	readonly networkId?: number;
	readonly networkName?: string;
	readonly delivery?: SatelliteDelivery;
	/** Of the last TDT. */
	readonly utcMs?: number;
	readonly services: readonly FoundService[];
	/** Packets of every PID. */
	readonly pids: readonly {readonly pid: number; readonly packets: number}[];
};

export type FoundFrames = {
	readonly inputStream: number;
	readonly content: 'ts' | 'gse' | 'gse-hem' | 'packetized';
	readonly isSingleStream: boolean;
	readonly isConstantCoding: boolean;
	readonly isLite: boolean;
	/** As told; the low three by two frames in turn. */
	readonly rollOff: number;
	readonly frames: number;
	readonly dataFieldBytes: number;
	/** PLS of the mode adaptation's header where there was one. */
	readonly pls?: number;
};

export type LinkContents = {
	/** `unknown` until something was recognised. */
	readonly carrier: 'unknown' | 'ts' | 'pseudo-ts' | 'bbframe';
	readonly transports: readonly FoundTransport[];
	readonly frames: readonly FoundFrames[];
};

/** Counts since the beginning; bytes of each layer with its own headers. */
export type DecoderStats = {
	readonly carrierBytes: number;
	readonly packets: number;
	readonly nullPackets: number;
	readonly frames: number;
	/** Sections, SNDUs and GSE packets that were whole. */
	readonly encapsulatedBytes: number;
	readonly datagrams: number;
	readonly ipBytes: number;
	readonly damage: Readonly<Record<DamageKind, number>>;
};

export type DecapsulatorInput =
	| ({readonly kind: 'udp'} & LinkEndpoint & {readonly receiveBufferBytes?: number})
	/** Read as fast as it goes, or as a FIFO is filled. */
	| {readonly kind: 'file'; readonly path: string; readonly bbFrameBits?: number}
	/** What `write` brings, as a stream. */
	| {readonly kind: 'bytes'; readonly bbFrameBits?: number};

export type DecapsulatorOptions = {
	readonly input: DecapsulatorInput;
	readonly select?: DecoderSelection;
	/** UDP datagrams to multicast groups leave again to the group and port that they are addressed to. */
	readonly emit?: {
		/** 127.0.0.1 by default. */
		readonly interfaceAddress?: string;
		/**
		 * Source of what leaves; any address of 127.0.0.0/8 serves on loopback. By it a source-specific join tells these datagrams
		 * from those of a sender on the same host, whose encapsulator must not carry them again.
		 */
		readonly sourceAddress?: string;
		readonly ttl?: number;
	};
	/** IP datagrams in batches; beyond 16 MiB that wait they are dropped and counted. */
	readonly onDatagrams?: (datagrams: LinkDatagrams) => void;
	/** A file has been read to its end, or the thread cannot go on. */
	readonly onEnd?: (error?: {readonly code: string; readonly message: string}) => void;
};

export type DecapsulatorStats = DecoderStats & {
	readonly kernelDrops: number;
	readonly emittedDatagrams: number;
	/** Not for a multicast group, or not whole UDP: they go to JavaScript only. */
	readonly unemittedDatagrams: number;
	/** That the network refused. */
	readonly failedDatagrams: number;
	/** That JavaScript did not take in time. */
	readonly droppedDatagrams: number;
};
