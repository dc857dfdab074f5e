import type {FileHandle} from 'node:fs/promises';
import {Readable} from 'node:stream';
import {CodedError} from '#appliance/error/coded-error.ts';
import {lengthOfRange} from '#appliance/http/byte-ranges.ts';
import type {BodyPart} from '#appliance/http/send-representation.ts';

/** Large enough that the cost of a read on the thread pool vanishes, small enough for hundreds of players. */
const readBytesMax = 256 * 1024;

/**
 * Streams parts of an open file and closes it when the stream ends, fails or is destroyed: a client that leaves, even
 * before the first byte, costs no descriptor. A file shorter than promised fails the stream, so that the connection
 * breaks instead of a wrong length passing for a whole object.
 */
export const fileBody = (handle: FileHandle, parts: readonly BodyPart[]): Readable => {
	const queue = [...parts];
	let offset: number | undefined;
	const readNext = async (): Promise<Buffer | null> => {
		const part = queue[0];
		if (part === undefined || Buffer.isBuffer(part)) {
			queue.shift();
			return part ?? null;
		}
		const position = offset ?? part.start;
		const wantedBytes = Math.min(readBytesMax, lengthOfRange({start: position, end: part.end}));
		const {buffer, bytesRead} = await handle.read(Buffer.allocUnsafeSlow(wantedBytes), 0, wantedBytes, position);
		if (bytesRead === 0) {
			throw new CodedError('HTTP_FILE_TRUNCATED', {
				message: 'A file ended before its length; it was changed while it was sent.',
				details: {position, end: part.end},
			});
		}
		offset = position + bytesRead;
		if (offset > part.end) {
			queue.shift();
			offset = undefined;
		}
		return bytesRead === wantedBytes ? buffer : buffer.subarray(0, bytesRead);
	};
	let reading: Promise<void> = Promise.resolve();
	return new Readable({
		highWaterMark: readBytesMax,
		read() {
			reading = readNext().then(
				(bytes) => {
					this.push(bytes);
				},
				(error: Error) => {
					this.destroy(error);
				},
			);
		},
		destroy(error, callback) {
			// A descriptor must not be closed under a read in flight: its number may already be another file's.
			reading
				.then(() => handle.close())
				.then(
					() => callback(error),
					(closeError: Error) => callback(error ?? closeError),
				);
		},
	});
};
