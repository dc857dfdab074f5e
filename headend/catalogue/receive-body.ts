import {createHash, type Hash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import {headendError} from '#headend/error-code.ts';

/** As much of an object's begin as is kept to see what it is (an initialisation segment, a playlist). */
export const headBytesMax = 64 * 1024;

export type ReceivedBody = {
	readonly sizeBytes: number;
	readonly sha256: string;
	/** Base64. */
	readonly md5: string;
	readonly head: Buffer;
};

export type ReceiveBodyOptions = {
	readonly filePath: string;
	readonly body: AsyncIterable<Buffer>;
	/** Bytes that the file already holds of an earlier request; hashed again, they are trusted no more than new ones. */
	readonly offsetBytes: number;
	/** What the whole file must be when this body ends; absent for a chunked body. */
	readonly expectedBytes?: number | undefined;
	readonly maxBytes: number;
	/** Asks for room; throws when the quota is used up. */
	readonly reserve: (bytes: number) => void;
};

/**
 * Writes a body to a file while hashing it, and syncs it. Whatever came stays in the file on failure; the caller decides
 * whether an upload may go on from there.
 * @throws CodedError HEADEND_BODY_TOO_LARGE | HEADEND_BODY_SHORT | HTTP_STORAGE_FULL
 */
export const receiveBody = async (options: ReceiveBodyOptions): Promise<ReceivedBody> => {
	const digests = createDigests();
	const handle = await open(options.filePath, options.offsetBytes > 0 ? 'r+' : 'w');
	let position = 0;
	try {
		if (options.offsetBytes > 0) {
			await handle.truncate(options.offsetBytes);
			for await (const chunk of createReadStream(options.filePath) as AsyncIterable<Buffer>) {
				digests.update(chunk);
				position += chunk.length;
			}
		}
		for await (const chunk of options.body) {
			refuseTooLarge(position + chunk.length, options);
			options.reserve(chunk.length);
			await writeWhole(handle, chunk, position);
			digests.update(chunk);
			position += chunk.length;
		}
		refuseShort(position, options);
		await handle.datasync();
	} catch (error) {
		throw storageError(error);
	} finally {
		await handle.close();
	}
	return {sizeBytes: position, ...digests.finish()};
};

/** Hashes a file that lies where it is. */
export const digestFile = async (
	filePath: string,
	{expectedBytes, signal}: {readonly expectedBytes: number; readonly signal: AbortSignal},
): Promise<ReceivedBody> => {
	const digests = createDigests();
	let sizeBytes = 0;
	// A mebibyte for each of ten thousand small files would keep the garbage collector busy and nobody else.
	const highWaterMark = Math.min(1 << 20, expectedBytes + 1);
	for await (const chunk of createReadStream(filePath, {signal, highWaterMark}) as AsyncIterable<Buffer>) {
		digests.update(chunk);
		sizeBytes += chunk.length;
	}
	return {sizeBytes, ...digests.finish()};
};

const createDigests = () => {
	const sha256: Hash = createHash('sha256');
	const md5: Hash = createHash('md5');
	const head: Buffer[] = [];
	let headBytes = 0;
	return {
		update: (chunk: Buffer): void => {
			sha256.update(chunk);
			md5.update(chunk);
			if (headBytes < headBytesMax) {
				head.push(chunk.subarray(0, headBytesMax - headBytes));
				headBytes += chunk.length;
			}
		},
		finish: () => ({sha256: sha256.digest('hex'), md5: md5.digest('base64'), head: Buffer.concat(head)}),
	};
};

const writeWhole = async (handle: FileHandle, chunk: Buffer, position: number): Promise<void> => {
	for (let written = 0; written < chunk.length; ) {
		const {bytesWritten} = await handle.write(chunk, written, chunk.length - written, position + written);
		written += bytesWritten;
	}
};

const refuseTooLarge = (sizeBytes: number, {expectedBytes, maxBytes}: ReceiveBodyOptions): void => {
	if (sizeBytes > (expectedBytes ?? maxBytes) || sizeBytes > maxBytes) {
		throw headendError('HEADEND_BODY_TOO_LARGE', {
			status: 413,
			message: 'The body is larger than promised or than this headend takes.',
			details: {sizeBytes, expectedBytes, maxBytes},
		});
	}
};

const refuseShort = (sizeBytes: number, {expectedBytes}: ReceiveBodyOptions): void => {
	if (expectedBytes !== undefined && sizeBytes < expectedBytes) {
		throw headendError('HEADEND_BODY_SHORT', {
			status: 400,
			message: 'The body ended before the promised length; send the rest with Content-Range.',
			details: {sizeBytes, expectedBytes},
			retryable: true,
		});
	}
};

const storageError = (error: unknown): unknown =>
	hasCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG')
		? new CodedError('HTTP_STORAGE_FULL', {
				message: 'The disk of this headend is full; remove objects and send again.',
				cause: error,
				retryable: true,
			})
		: error;
