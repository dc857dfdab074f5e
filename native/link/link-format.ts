/** What a stream of the DVB link layer looks like; both directions use these words. */

/** One service of a transport stream: one NIP stream, carried on exactly one PID. */
export type LinkService = {
	/** program_number, 1 to 65535. */
	readonly serviceId: number;
	readonly name: string;
	readonly provider: string;
	readonly pmtPid: number;
	/** Of its MPE sections or ULE SNDUs. */
	readonly pid: number;
};

/** satellite_delivery_system_descriptor (EN 300 468, 6.2.13.2). */
export type SatelliteDelivery = {
	readonly frequencyKhz: number;
	readonly symbolRate: number;
	/** Tenths of a degree. */
	readonly orbitalPosition: number;
	readonly isEast: boolean;
	readonly polarization: 'horizontal' | 'vertical' | 'left' | 'right';
	readonly system: 'dvb-s' | 'dvb-s2';
	readonly modulation: 'auto' | 'qpsk' | '8psk';
	/** Only the three of DVB-S2 can be told; others are told as 0.35. */
	readonly rollOff: 0.35 | 0.25 | 0.2;
	/** Of the inner code, as the standard prints it: `3/4`. One that the table has not is told as undefined. */
	readonly codeRate: string;
};

export type TransportStreamOptions = {
	readonly transportStreamId: number;
	readonly originalNetworkId: number;
	readonly networkId: number;
	readonly networkName: string;
	/** 1 to 32. */
	readonly services: readonly LinkService[];
	readonly delivery?: SatelliteDelivery;
};

/** BBFRAMEs of one input stream, each of the same size. */
export type FrameOptions = {
	/** One of `listModcods` of the modem: its frames' size, and what the mode adaptation tells the modulator. */
	readonly modcod: {readonly pls: number; readonly bbFrameBits: number};
	/** The last three are told by two frames in turn (EN 302 307-2, 5.1.6). */
	readonly rollOff: 0.35 | 0.25 | 0.2 | 0.15 | 0.1 | 0.05;
	/** ISI, 0 to 255, of one of several input streams; without it there is one. */
	readonly inputStream?: number;
	/** CCM; else the header says ACM/VCM. True by default. */
	readonly isConstantCoding?: boolean;
};

export type LinkFormat =
	| {
			/** Sections of EN 301 192 or SNDUs of RFC 4326 in a transport stream, sliced into BBFRAMEs where `frames` is given. */
			readonly kind: 'mpe' | 'ule';
			readonly transport: TransportStreamOptions;
			readonly frames?: FrameOptions;
	  }
	| {
			/** TS 102 606-1. */
			readonly kind: 'gse';
			readonly frames: FrameOptions;
			/** The destination's MAC address, none, or the address where it is another than the packet's before. `mac` by default. */
			readonly label?: 'mac' | 'none' | 'reuse';
			/** GSE-HEM headers (EN 302 307-2, 5.1.7). */
			readonly isHighEfficiency?: boolean;
			/** Tells GSE-Lite and keeps within it: PDUs of at most 1800 bytes. */
			readonly isLite?: boolean;
	  };

/** `bits` of TS packets, or of whole BBFRAMEs where there are frames, in `seconds`: a fraction, so that it is exact. */
export type LinkRate = {readonly bits: number; readonly seconds: number};

/** A group and port; a unicast address is bound without a join. */
export type LinkEndpoint = {
	readonly group: string;
	readonly port: number;
	/** Source-specific join. */
	readonly source?: string;
	/** An address of the interface, or its name. */
	readonly interfaceAddress?: string;
};
