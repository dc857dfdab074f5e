import {Readable} from 'node:stream';
import type {ByteRange} from '#appliance/http/byte-ranges.ts';
import type {BodyPart} from '#appliance/http/send-representation.ts';

const bufferedBytesMax = 256 * 1024;

export type RangeReader = (range: ByteRange & {readonly signal: AbortSignal}) => AsyncIterable<Buffer>;

/** A body whose ranges are read as they become complete. Its destruction aborts the wait and frees what `held` holds. */
export const rangeBody = (
	parts: readonly BodyPart[],
	{read, held}: {readonly read: RangeReader; readonly held?: Disposable},
): Readable => {
	const left = new AbortController();
	async function* chunks(): AsyncGenerator<Buffer, void, void> {
		for (const part of parts) {
			if (Buffer.isBuffer(part)) {
				yield part;
			} else {
				yield* read({...part, signal: left.signal});
			}
		}
	}
	const body = Readable.from(chunks(), {objectMode: false, highWaterMark: bufferedBytesMax});
	body.once('close', () => {
		left.abort();
		held?.[Symbol.dispose]();
	});
	return body;
};
