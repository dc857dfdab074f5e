/** How an object is cut into packets; the same numbers go into the FDT and to the sender. */
export type FecGeometry = {
	readonly encodingId: 0 | 5;
	readonly symbolBytes: number;
	/** B of RFC 5052 section 9.1. */
	readonly sourceBlockSymbolsMax: number;
	/** For the larger of the two block sizes; smaller blocks get theirs in proportion. */
	readonly repairSymbolsPerBlock: number;
	/** max_n of RFC 5510 section 5.1; equal to B for id 0. */
	readonly encodingSymbolsMax: number;
};

/** Encoding symbols of a block under Reed-Solomon over GF(2^8) (RFC 5510 section 8). */
const reedSolomonSymbolsMax = 255;
/** ESIs of id 0 have 16 bits, and some receivers know only one source block (RFC 5445 section 3). */
const compactBlockSymbolsMax = 65_535;
/** IPv4 20, UDP 8, LCT with 32-bit TSI and TOI 16, FEC payload id 4. */
export const packetOverheadBytes = 48;
/** An FDT entry compresses to about this (two digests and names), and is sent with each of two instances. */
export const fdtBytesPerObject = 360;

export const fecGeometryOf = (
	sizeBytes: number,
	options: {
		readonly symbolBytes: number;
		readonly encodingId: 0 | 5;
		readonly sourceBlockSymbolsMax: number;
		readonly overheadPercent: number;
	},
): FecGeometry => {
	const {symbolBytes, encodingId, sourceBlockSymbolsMax, overheadPercent} = options;
	if (encodingId === 0) {
		return {
			encodingId,
			symbolBytes,
			sourceBlockSymbolsMax: compactBlockSymbolsMax,
			repairSymbolsPerBlock: 0,
			encodingSymbolsMax: compactBlockSymbolsMax,
		};
	}
	const repairOf = (symbols: number): number =>
		Math.min(reedSolomonSymbolsMax - symbols, Math.ceil((symbols * overheadPercent) / 100));
	const {largeSymbols} = partition(sizeBytes, symbolBytes, sourceBlockSymbolsMax);
	return {
		encodingId,
		symbolBytes,
		sourceBlockSymbolsMax,
		repairSymbolsPerBlock: largeSymbols === 0 ? 0 : repairOf(largeSymbols),
		encodingSymbolsMax: sourceBlockSymbolsMax + repairOf(sourceBlockSymbolsMax),
	};
};

/** RFC 5052 section 9.1. */
const partition = (sizeBytes: number, symbolBytes: number, sourceBlockSymbolsMax: number) => {
	const symbols = Math.ceil(sizeBytes / symbolBytes);
	const blocks = Math.ceil(symbols / sourceBlockSymbolsMax);
	const largeSymbols = blocks === 0 ? 0 : Math.ceil(symbols / blocks);
	const smallSymbols = blocks === 0 ? 0 : Math.floor(symbols / blocks);
	return {symbols, blocks, largeSymbols, smallSymbols, largeBlocks: symbols - smallSymbols * blocks};
};

/** IP-layer bytes of one transmission of an object, its part of the FDT not counted. */
export const wireBytesOf = (sizeBytes: number, fec: FecGeometry): number => {
	const {symbols, blocks, largeSymbols, smallSymbols, largeBlocks} = partition(
		sizeBytes,
		fec.symbolBytes,
		fec.sourceBlockSymbolsMax,
	);
	const smallRepair = largeSymbols === 0 ? 0 : Math.ceil((fec.repairSymbolsPerBlock * smallSymbols) / largeSymbols);
	const repairSymbols = largeBlocks * fec.repairSymbolsPerBlock + (blocks - largeBlocks) * smallRepair;
	return sizeBytes + repairSymbols * fec.symbolBytes + (symbols + repairSymbols) * packetOverheadBytes;
};
