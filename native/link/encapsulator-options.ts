import type {LinkEndpoint, LinkFormat, LinkRate} from './link-format.ts';

/** Datagrams that come to it are carried; their IP and UDP headers are rebuilt as the sender's kernel made them. */
export type EncapsulatorInput = LinkEndpoint & {
	/** Of `transport.services`; the first by default. */
	readonly serviceId?: number;
	/** Source address in the rebuilt header; the sender's own by default. */
	readonly sourceAddress?: string;
};

export type EncapsulatorOutput =
	| {
			/** TS: seven packets a datagram, bare or after an RTP header of payload type 33. BBFRAMEs: one a datagram, by mode adaptation L.3, `udp` only. */
			readonly kind: 'udp' | 'rtp';
			readonly group: string;
			readonly port: number;
			readonly interfaceAddress?: string;
			readonly ttl?: number;
	  }
	/** TS packets, or BBFRAMEs one behind the other; appended. A FIFO is one, too: opening waits for its reader, on the thread. */
	| {readonly kind: 'file'; readonly path: string}
	/** The same for JavaScript; what it does not take in time is dropped and counted. */
	| {readonly kind: 'bytes'; readonly onBytes: (bytes: Buffer) => void};

export type EncapsulatorOptions = {
	readonly format: LinkFormat;
	readonly rate: LinkRate;
	readonly inputs: readonly EncapsulatorInput[];
	readonly output: EncapsulatorOutput;
	/** What waits to be sent; beyond it datagrams are dropped and counted. 4 MiB by default. */
	readonly queueBytesMax?: number;
	/** The thread cannot go on; nothing is sent any more. */
	readonly onFailed?: (error: {readonly code: string; readonly message: string}) => void;
};

/** Counts since the beginning; bytes of each layer with its own headers. */
export type EncoderStats = {
	readonly datagrams: number;
	/** IP datagrams that were carried. */
	readonly ipBytes: number;
	/** Their sections, SNDUs or GSE packets. */
	readonly encapsulatedBytes: number;
	/** PSI and SI, in whole TS packets. */
	readonly signallingBytes: number;
	/** Null packets, and what packets and frames were filled up with. */
	readonly stuffingBytes: number;
	/** TS packets or BBFRAMEs. */
	readonly units: number;
	/** Their bytes. */
	readonly carrierBytes: number;
	/** No room in the queue. */
	readonly droppedDatagrams: number;
	readonly droppedBytes: number;
	/** Longer than the encapsulation can carry, or no IP. */
	readonly refusedDatagrams: number;
	readonly queuedBytes: number;
};

export type EncapsulatorStats = EncoderStats & {
	/** That the kernel had no room for, before they were read. */
	readonly kernelDrops: number;
	/** Times that the thread was so late that the output had a gap, and how long the gaps were. */
	readonly underruns: number;
	readonly underrunMs: number;
	/** Since the first unit. */
	readonly elapsedMs: number;
	/** That the network, the file's reader or JavaScript did not take. */
	readonly lostBytes: number;
};
