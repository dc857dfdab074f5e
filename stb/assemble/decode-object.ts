import {createHash} from 'node:crypto';
import {createReadStream, createWriteStream} from 'node:fs';
import {rm} from 'node:fs/promises';
import {pipeline} from 'node:stream/promises';
import {createGunzip} from 'node:zlib';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {StbErrorCode} from '#stb/error-code.ts';

export type DecodedObject = {readonly filePath: string; readonly sizeBytes: number; readonly sha256: string};

/**
 * Unpacks a gzip transport object into a file of its own and hashes the identity bytes on the way. `sizeBytesMax` stops
 * a small object that swells to fill the disk. On failure no file is left; the source stays the caller's.
 */
export const decodeGzipFile = async (options: {
	readonly sourcePath: string;
	readonly targetPath: string;
	readonly sizeBytesMax: number;
	readonly signal: AbortSignal;
}): Promise<DecodedObject> => {
	const {sourcePath, targetPath, sizeBytesMax, signal} = options;
	const hash = createHash('sha256');
	let sizeBytes = 0;
	const measure = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
		for await (const chunk of chunks) {
			sizeBytes += chunk.length;
			if (sizeBytes > sizeBytesMax) {
				throw new CodedError<StbErrorCode>('STB_ARRIVAL_TOO_LARGE', {
					message: 'This object unpacks to more than its description says.',
					details: {sizeBytesMax},
				});
			}
			hash.update(chunk);
			yield chunk;
		}
	};
	try {
		await pipeline(createReadStream(sourcePath), createGunzip(), measure, createWriteStream(targetPath), {signal});
	} catch (error) {
		await rm(targetPath, {force: true});
		signal.throwIfAborted();
		throw error instanceof CodedError ? error : decodeFailed(error);
	}
	return {filePath: targetPath, sizeBytes, sha256: hash.digest('hex')};
};

const decodeFailed = (cause: unknown): CodedError<StbErrorCode> =>
	new CodedError<StbErrorCode>('STB_ARRIVAL_DECODE_FAILED', {message: 'This object’s gzip encoding is broken.', cause});

/** Digest and size of a file that came whole by repair. */
export const hashFile = async (
	filePath: string,
	{signal}: {readonly signal: AbortSignal},
): Promise<{readonly sizeBytes: number; readonly sha256: string}> => {
	const hash = createHash('sha256');
	let sizeBytes = 0;
	for await (const chunk of createReadStream(filePath, {signal}) as AsyncIterable<Buffer>) {
		sizeBytes += chunk.length;
		hash.update(chunk);
	}
	return {sizeBytes, sha256: hash.digest('hex')};
};
