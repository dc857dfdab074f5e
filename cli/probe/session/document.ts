import {brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync} from 'node:zlib';
import type {BlockGeometry} from '#cli/probe/session/block-geometry.ts';

/** Signalling and FDT instances are put together whole; nothing longer is taken for one. */
export const documentBytesMax = 4 * 1024 * 1024;

/** A small object that is put together from its source symbols, over as many transmissions as it takes. */
export class DocumentAssembly {
	readonly #geometry: BlockGeometry;
	readonly #bytes: Buffer;
	readonly #marks: Uint8Array;
	#left: number;

	constructor(geometry: BlockGeometry) {
		this.#geometry = geometry;
		this.#bytes = Buffer.alloc(geometry.transferLength);
		this.#marks = new Uint8Array(geometry.symbols);
		this.#left = geometry.symbols;
	}

	/** The object, once and when its last symbol has come. */
	take(symbol: {readonly block: number; readonly index: number}, payload: Buffer): Buffer | undefined {
		const place = this.#geometry.placeOf(symbol.block, symbol.index);
		if (place === undefined || this.#marks[place] === 1) {
			return undefined;
		}
		payload.copy(this.#bytes, place * this.#geometry.symbolBytes);
		this.#marks[place] = 1;
		this.#left -= 1;
		return this.#left === 0 ? this.#bytes : undefined;
	}
}

const limit = {maxOutputLength: documentBytesMax};

/** By EXT_CENC's number or a Content-Encoding. Throws what zlib throws, also when it would be too long. */
export const decodeDocument = (bytes: Buffer, encoding: number | string | undefined): Buffer => {
	switch (encoding) {
		case 1:
		case 'deflate':
			return inflateSync(bytes, limit);
		case 2:
			return inflateRawSync(bytes, limit);
		case 3:
		case 'gzip':
			return gunzipSync(bytes, limit);
		case 'br':
			return brotliDecompressSync(bytes, limit);
		default:
			return bytes;
	}
};
