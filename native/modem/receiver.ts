import {addon} from './addon.ts';
import type {rollOffs} from './roll-off.ts';

export type ReceiverOptions = {
	/** From 1 to 16, any fraction. */
	readonly samplesPerSymbol: number;
	readonly rollOff: (typeof rollOffs)[number];
	/** Of the physical layer's scrambling sequence. */
	readonly goldIndex?: number;
	/** Two floats, or two 16-bit integers; floats unless said. Their scale does not matter. */
	readonly format?: 'float' | 'integer';
};

export type ReceivedFrame = {
	readonly pls: number;
	/** The BBFRAME: header, data field, padding, not scrambled; absent when it could not be decoded. */
	readonly bytes?: Buffer;
	readonly ldpcIterations: number;
	/** By the outer code. */
	readonly bitsCorrected: number;
	/** Modulation error ratio, against what was sent where the frame was decoded. */
	readonly merDb: number;
};

export type ReceiverTotals = {
	readonly frames: number;
	/** Found, but not decoded. */
	readonly failedFrames: number;
	readonly dummyFrames: number;
	readonly syncLosses: number;
	/** Of frames of all kinds. */
	readonly symbols: number;
	/** Of all frames together. */
	readonly merDb: number;
	/** In cycles per symbol. */
	readonly frequencyOffset: number;
	/** As measured. */
	readonly samplesPerSymbol: number;
};

export type Receiver = {
	/** The frames that these samples complete. It works on a thread of the pool; calls wait for one another. */
	readonly write: (bytes: Uint8Array) => Promise<readonly ReceivedFrame[]>;
	/** The rest. A frame that is cut is none. */
	readonly finish: () => Promise<readonly ReceivedFrame[]>;
	/** After all that was written. */
	readonly totals: () => Promise<ReceiverTotals>;
	/** Some symbols of the last frame as pairs of I and Q, of unit energy. */
	readonly constellation: () => Promise<Float32Array>;
};

/**
 * Opens a receiver of DVB-S2 and S2X for tests and for monitoring: it finds frames of any MODCOD by themselves. Right
 * rather than fast: about a tenth of a second a frame. Throws NATIVE_MODEM_ARGUMENT.
 */
export const openReceiver = (options: ReceiverOptions): Receiver => {
	const {samplesPerSymbol, rollOff, goldIndex = 0, format = 'float'} = options;
	const native = new addon.Receiver({samplesPerSymbol, rollOff, goldIndex, integers: format === 'integer'});
	let last: Promise<unknown> = Promise.resolve();
	const next = <Type>(work: () => Type | Promise<Type>): Promise<Type> => {
		const result = last.then(work);
		last = result.catch(() => undefined);
		return result;
	};
	return {
		write: (bytes) => next(() => native.write(bytes)),
		finish: () => next(() => native.finish()),
		totals: () => next(() => native.totals()),
		constellation: () => next(() => native.constellation()),
	};
};
