import {Readable} from 'node:stream';
import type {ByteRange} from '#appliance/http/byte-ranges.ts';
import type {BodyPart} from '#appliance/http/send-representation.ts';

const bufferedBytesMax = 256 * 1024;

export type RangeReader = (range: ByteRange & {readonly signal: AbortSignal}) => AsyncIterable<Buffer>;

/**
 * A body whose ranges are read as they become complete. Its destruction aborts the wait and frees what `held` holds at
 * once. (Readable.from would wait for the read that waits for the abort.)
 */
export const rangeBody = (
	parts: readonly BodyPart[],
	{read, held}: {readonly read: RangeReader; readonly held?: Disposable},
): Readable => {
	const left = new AbortController();
	const chunks = chunksOf(parts, read, left.signal);
	return new Readable({
		highWaterMark: bufferedBytesMax,
		read() {
			chunks.next().then(
				({done, value}) => {
					this.push(done === true ? null : value);
				},
				(error: Error) => {
					this.destroy(error);
				},
			);
		},
		destroy(error, callback) {
			left.abort();
			held?.[Symbol.dispose]();
			// A generator that never began, or that stands at a yield, ends by this; one that waits ends by the abort.
			chunks.return().catch(() => undefined);
			callback(error);
		},
	});
};

async function* chunksOf(
	parts: readonly BodyPart[],
	read: RangeReader,
	signal: AbortSignal,
): AsyncGenerator<Buffer, void, void> {
	for (const part of parts) {
		if (Buffer.isBuffer(part)) {
			yield part;
			continue;
		}
		for await (const chunk of read({...part, signal})) {
			// An empty chunk would tell a stream that there is nothing more to ask for.
			if (chunk.length > 0) {
				yield chunk;
			}
		}
	}
}
