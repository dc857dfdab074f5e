import {addon} from './addon.ts';
import {rollOffFields, type rollOffs} from './roll-off.ts';

/** One way to send a BBFRAME (EN 302 307-1, 5.5.2; EN 302 307-2, 5.5.2). */
export type Modcod = {
	/** 0 to 255; its last bit says whether there are pilots. A VL-SNR mode has 256 and the index of its header. */
	readonly pls: number;
	/** As the standard prints it: `8PSK 3/4`. */
	readonly name: string;
	readonly modulation: string;
	/** Of the LDPC code, as in its table. */
	readonly rate: string;
	readonly frame: 'normal' | 'medium' | 'short';
	readonly pilots: boolean;
	readonly bitsPerSymbol: number;
	/** Kbch: header, data field and padding. */
	readonly bbFrameBits: number;
	/** Of a PLFRAME, with its header and pilots. */
	readonly frameSymbols: number;
	/** Es/N0 that a normal frame needs (EN 302 307-1, table 13; EN 302 307-2, table 20a), where the standard gives it. */
	readonly thresholdDb?: number;
};

/**
 * In the order of the chain. The first four are bits, packed without gaps; `symidx` is a byte a symbol; the others are
 * points: `xfec` as mapped, `plframe` with header, pilots and scrambling, `iq` shaped.
 */
export const modemStages = ['bbframe', 'bbscrambled', 'bch', 'ldpc', 'symidx', 'xfec', 'plframe', 'iq'] as const;
export type ModemStage = (typeof modemStages)[number];

export type TransmitOptions = {
	readonly pls: number;
	/** Of the physical layer's scrambling sequence, 0 to 262142. */
	readonly goldIndex: number;
	readonly input: 'ts' | 'bbframe';
	readonly stage: ModemStage;
	readonly rollOff: (typeof rollOffs)[number];
	/** Samples per symbol of `iq`, as a fraction of at least one. */
	readonly samplesPerSymbol: {readonly interpolate: number; readonly decimate: number};
	/** Of points: two floats, or two 16-bit integers of which 8192 is a unit amplitude. */
	readonly format: 'float' | 'integer';
};

export type TransmitChain = {
	/** What these bytes complete. Throws NATIVE_MODEM_INPUT when a transport stream is out of step. */
	readonly write: (bytes: Uint8Array) => Buffer;
	/** The rest. Throws NATIVE_MODEM_INPUT when the input ended within a packet or frame. */
	readonly finish: () => Buffer;
	readonly totals: () => {readonly frames: number; readonly symbols: number};
};

export const listModcods = (): readonly Modcod[] => addon.listModcods();

/** Throws NATIVE_MODEM_ARGUMENT. */
export const openTransmitChain = (options: TransmitOptions): TransmitChain => {
	const {pls, goldIndex, input, stage, rollOff, samplesPerSymbol, format} = options;
	return new addon.TransmitChain({
		...{pls, goldIndex, stage: modemStages.indexOf(stage), transport: input === 'ts'},
		...rollOffFields(rollOff),
		integers: format === 'integer',
		...(stage === 'iq' ? {rollOff, ...samplesPerSymbol} : {}),
	});
};
