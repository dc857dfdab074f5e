import type {ObjectGeometry} from '#cli/probe/packet/parse-alc.ts';

/** What a receiver can hold; a length beyond it is a lie or another planet's film. */
const symbolsMax = 2 ** 24;

/** Where a symbol belongs (RFC 5052 section 9.1). */
export type BlockGeometry = {
	readonly symbols: number;
	readonly symbolBytes: number;
	readonly transferLength: number;
	/** The place among all source symbols; undefined for a repair symbol or one that cannot be. */
	readonly placeOf: (block: number, index: number) => number | undefined;
};

/** Undefined when the numbers describe no object. */
export const blockGeometry = (information: ObjectGeometry): BlockGeometry | undefined => {
	const {transferLength, symbolBytes, blockSymbolsMax} = information;
	if (symbolBytes === 0 || blockSymbolsMax === 0) {
		return undefined;
	}
	const symbols = Math.ceil(transferLength / symbolBytes);
	if (symbols > symbolsMax) {
		return undefined;
	}
	const blocks = Math.ceil(symbols / blockSymbolsMax);
	const large = blocks === 0 ? 0 : Math.ceil(symbols / blocks);
	const small = blocks === 0 ? 0 : Math.floor(symbols / blocks);
	const largeBlocks = symbols - small * blocks;
	return {
		symbols,
		symbolBytes,
		transferLength,
		placeOf: (block, index) => {
			if (block >= blocks || index >= (block < largeBlocks ? large : small)) {
				return undefined;
			}
			return Math.min(block, largeBlocks) * large + Math.max(0, block - largeBlocks) * small + index;
		},
	};
};
