import type {Readable} from 'node:stream';
import type {ByteRange} from '#appliance/http/byte-ranges.ts';
import {generatorBody} from '#appliance/http/generator-body.ts';
import type {BodyPart} from '#appliance/http/send-representation.ts';

const bufferedBytesMax = 256 * 1024;

export type RangeReader = (range: ByteRange & {readonly signal: AbortSignal}) => AsyncIterable<Buffer>;

/**
 * A body whose ranges are read as they become complete. Its destruction aborts the wait and frees what `held` holds at
 * once.
 */
export const rangeBody = (
	parts: readonly BodyPart[],
	{read, held}: {readonly read: RangeReader; readonly held?: Disposable},
): Readable => {
	const left = new AbortController();
	return generatorBody(chunksOf(parts, read, left.signal), {
		bufferedBytesMax,
		onLeft: () => {
			left.abort();
			held?.[Symbol.dispose]();
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
