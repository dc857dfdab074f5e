/** What a tuner is, whatever stands behind it: the kernel's device, a file, a feed over the network. */

export const polarizations = ['vertical', 'horizontal', 'right', 'left'] as const;
export type Polarization = (typeof polarizations)[number];

export const deliverySystems = ['DVB-S', 'DVB-S2', 'DVB-S2X'] as const;
export type DeliverySystem = (typeof deliverySystems)[number];

/** Names are those of the standards; absent = the demodulator finds out. */
export type SatelliteTuning = {
	readonly system: DeliverySystem;
	/** Of the carrier as it comes from the satellite. */
	readonly frequencyKhz: number;
	readonly polarization: Polarization;
	/** Symbols per second. */
	readonly symbolRate: number;
	/** QPSK, 8PSK, 16APSK … */
	readonly modulation?: string | undefined;
	/** 3/4, 11/15 … */
	readonly codeRate?: string | undefined;
	/** 0.35, 0.25, 0.20, 0.15, 0.10, 0.05. */
	readonly rollOff?: string | undefined;
	readonly pilot?: 'on' | 'off' | undefined;
	/** ISI, of a carrier with several streams (EN 302 307-1 section 5.1.6). */
	readonly inputStream?: number | undefined;
	/** Number of the gold sequence that scrambles the physical layer (EN 302 307-1 section 5.5.4). */
	readonly plsIndex?: number | undefined;
};

/** From `switchKhz` on the high oscillator serves; `highKhz` 0 for an LNB of one band. */
export type Lnb = {readonly lowKhz: number; readonly highKhz: number; readonly switchKhz: number};

export const universalLnb: Lnb = {lowKhz: 9_750_000, highKhz: 10_600_000, switchKhz: 11_700_000};

/** A user band of a single cable. */
export type Unicable = {
	readonly standard: 'EN 50494' | 'EN 50607';
	/** From 0. */
	readonly userBand: number;
	/** Of the user band's middle. */
	readonly frequencyKhz: number;
	/** Of the satellite, from 0. */
	readonly position?: number | undefined;
	readonly pin?: number | undefined;
};

/** The way from the dish to the tuner. */
export type Antenna = {
	readonly lnb: Lnb;
	/** Port of a DiSEqC 1.0 switch, 0 to 3. */
	readonly committed?: number | undefined;
	/** Port of a DiSEqC 1.1 switch, 0 to 15. */
	readonly uncommitted?: number | undefined;
	readonly toneBurst?: 'a' | 'b' | undefined;
	readonly unicable?: Unicable | undefined;
};

/** What a driver measures; what its chip cannot tell is absent, and nothing is guessed. */
export type SignalStatistics = {
	readonly signal: boolean;
	readonly carrier: boolean;
	/** The inner code decodes. */
	readonly code: boolean;
	readonly sync: boolean;
	readonly locked: boolean;
	readonly levelDbm?: number;
	/** Of the driver's own scale. */
	readonly levelRatio?: number;
	readonly cnrDb?: number;
	readonly cnrRatio?: number;
	/** Before the inner code, since the last reading. */
	readonly preBitErrorRatio?: number;
	/** After the inner and before the outer code, since the last reading. */
	readonly bitErrorRatio?: number;
	readonly blockErrorRatio?: number;
	/** Since tuning. */
	readonly blockErrors?: number;
	readonly blocks?: number;
};

export type TunerFacts = {
	readonly adapter: number;
	readonly frontend: number;
	/** Of the demodulator, as its driver says; empty while it cannot be asked. */
	readonly name: string;
	readonly bus: string;
	readonly systems: readonly string[];
	readonly frequencyKhzMin: number;
	readonly frequencyKhzMax: number;
	readonly symbolRateMin: number;
	readonly symbolRateMax: number;
	readonly multistream: boolean;
	readonly satellite: boolean;
};

export type ReadingStats = {
	readonly bytes: number;
	/** Times that the kernel's buffer was full: something is missing. */
	readonly overruns: number;
	/** Bytes that found our own buffer full. */
	readonly dropped: number;
	/** Reads that failed in between. */
	readonly damaged: number;
};

/**
 * What is read, until the signal aborts, its consumer breaks off, or the source ends. A device that goes away ends it with
 * NATIVE_DVB_GONE. The consumer's pace is its own: what does not fit the queue is dropped and counted.
 */
export type Reading<Item> = AsyncIterableIterator<Item, undefined> &
	AsyncDisposable & {readonly stats: () => ReadingStats};

/** A filter of sections: `value` and `mask` begin with the table id; what follows is counted from behind the length. */
export type SectionRequest = {
	readonly pid: number;
	readonly value?: Uint8Array;
	readonly mask?: Uint8Array;
	/** Default true: sections whose CRC is wrong are not told of. */
	readonly checkCrc?: boolean;
	readonly signal: AbortSignal;
};

export type Tuner = AsyncDisposable & {
	/** Such as `adapter0/frontend0`. */
	readonly name: string;
	/** What `read` gives: transport packets, or BBFRAMEs one behind the other. */
	readonly format: 'ts' | 'bbframe';
	/** Returns when the driver has been ordered; whether it locks is told by the statistics. */
	readonly tune: (tuning: SatelliteTuning, antenna: Antenna, options: {readonly signal: AbortSignal}) => Promise<void>;
	readonly statistics: () => Promise<SignalStatistics>;
	/** Whole transport packets of these PIDs, or of all; a device has one reading of all at a time. */
	readonly read: (options: {readonly pids: 'all' | readonly number[]; readonly signal: AbortSignal}) => Reading<Buffer>;
	/** One section each. */
	readonly sections: (request: SectionRequest) => Reading<Buffer>;
	/** PES packets of one PID, as bytes. */
	readonly pes: (options: {readonly pid: number; readonly signal: AbortSignal}) => Reading<Buffer>;
	readonly close: () => Promise<void>;
};
