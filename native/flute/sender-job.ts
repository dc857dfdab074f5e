/** What a FLUTE sender is given to send. The addon checks every field and throws NATIVE_FLUTE_ARGUMENT. */
export type FluteFec = {
	/** 0: Compact No-Code. 5: Reed-Solomon over GF(2^8), RFC 5510. */
	readonly encodingId: 0 | 5;
	readonly symbolBytes: number;
	readonly sourceBlockSymbolsMax: number;
	/** Of a block of A_large symbols (RFC 5052 section 9.1); smaller blocks have them in proportion, rounded up. */
	readonly repairSymbolsPerBlock: number;
};

export type FluteSource =
	| {
			readonly kind: 'file';
			readonly path: string;
			/** What the FDT announced; another size fails the job with NATIVE_FLUTE_SOURCE_CHANGED. */
			readonly sizeBytes?: number;
	  }
	| {readonly kind: 'bytes'; readonly bytes: Uint8Array};

export type FluteJob = {
	readonly lane: string;
	readonly destination: {readonly group: string; readonly port: number};
	readonly tsi: number;
	readonly toi: number;
	/** Of TSI and TOI each; 32 by default. */
	readonly widthBits?: 16 | 32 | 48;
	readonly source: FluteSource;
	readonly fec: FluteFec;
	/** The job is an FDT instance: `toi` is 0, and every packet has EXT_FDT and EXT_FTI. */
	readonly fdt?: {readonly instanceId: number; readonly version: 1 | 2};
	/** EXT_CENC; of an FDT instance only. */
	readonly contentEncoding?: 'gzip' | 'deflate' | 'zlib';
	/** EXT_TIME with the sender's current time on every packet. */
	readonly senderTime?: boolean;
	/** EXT_FTI on the packets of an object too. */
	readonly fti?: boolean;
	/** The B flag on the last packet. */
	readonly closeObject?: boolean;
	/** The A flag on the last packet. */
	readonly sessionClose?: boolean;
};

/** Jobs of a lower level go strictly first; `weight` shares the bytes of one level among its busy lanes. */
export type FluteLane = {readonly name: string; readonly level: number; readonly weight: number};

export type FluteLaneState = {
	readonly name: string;
	/** Jobs that wait, without the one that is being sent. */
	readonly queued: number;
	readonly job?: number;
	/** Of the job that is being sent, IP layer. */
	readonly sentBytes: number;
	readonly totalBytes: number;
};
