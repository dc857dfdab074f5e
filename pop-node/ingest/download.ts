import {createHash, type Hash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {type FileHandle, open, rm} from 'node:fs/promises';
import {type CatalogueObject, entityTagOf} from '#appliance/contract/catalogue-schema.ts';
import {CodedError, errorMessage, hasCode} from '#appliance/error/coded-error.ts';
import type {PopNodeErrorCode} from '#pop-node/error-code.ts';
import type {HeadendAnswer, HeadendClient} from '#pop-node/ingest/headend-client.ts';

/**
 * Downloads an object into a partial file and checks its SHA-256. What an earlier attempt left is resumed by a range
 * that holds only for the same version (If-Range); a server that ignores it starts the file over. A wrong digest removes
 * the file: whatever is wrong with it, resuming would keep it wrong. So does a headend that has another version by now.
 */
export const downloadObject = async (options: {
	readonly client: HeadendClient;
	readonly object: CatalogueObject;
	readonly partialPath: string;
	readonly signal: AbortSignal;
	/** Told how much of the object the partial file holds, from its begin. */
	readonly onProgress: (bytes: number) => void;
}): Promise<void> => {
	const {client, object, partialPath, signal, onProgress} = options;
	const hash = createHash('sha256');
	const haveBytes = await hashExisting(partialPath, object.sizeBytes, hash);
	if (haveBytes < object.sizeBytes || object.sizeBytes === 0) {
		const refused = new AbortController();
		const answer = await client.get(object.path, {
			signal: AbortSignal.any([signal, refused.signal]),
			expectedBytes: object.sizeBytes - haveBytes,
			...(haveBytes === 0 ? {} : {range: {offset: haveBytes, entityTag: entityTagOf(object.sha256)}}),
		});
		if (hasOtherVersion(answer, object)) {
			refused.abort();
			await rm(partialPath, {force: true});
			throw changed(object);
		}
		const resumes = haveBytes > 0 && resumesAt(answer, haveBytes);
		if (answer.status !== 200 && !resumes) {
			throw new CodedError<PopNodeErrorCode>('POP_NODE_HEADEND_UNREACHABLE', {
				message: `The headend answers ${answer.status} to an object of its catalogue.`,
				details: {path: object.path, answered: answer.status, status: 502},
				retryable: true,
			});
		}
		await receiveBody(answer, {
			object,
			partialPath,
			startBytes: resumes ? haveBytes : 0,
			hash: resumes ? hash : createHash('sha256'),
			signal,
			onProgress,
		});
		return;
	}
	await requireDigest(hash, object, partialPath);
};

/** Writes a body to the partial file from `startBytes` on, of which `hash` has seen what comes before. */
export const receiveBody = async (
	answer: HeadendAnswer,
	options: {
		readonly object: CatalogueObject;
		readonly partialPath: string;
		readonly startBytes: number;
		readonly hash: Hash;
		readonly signal: AbortSignal;
		readonly onProgress?: (bytes: number) => void;
	},
): Promise<void> => {
	const {object, partialPath, startBytes, hash, signal} = options;
	let position = startBytes;
	{
		await using handle = await open(partialPath, startBytes === 0 ? 'w' : 'r+');
		options.onProgress?.(position);
		try {
			for await (const chunk of answer.body) {
				signal.throwIfAborted();
				if (position + chunk.length > object.sizeBytes) {
					throw corrupt(object, 'it is longer than the catalogue says');
				}
				hash.update(chunk);
				await writeAll(handle, chunk, position);
				position += chunk.length;
				options.onProgress?.(position);
			}
		} catch (error) {
			signal.throwIfAborted();
			throw toCoded(error, object);
		}
	}
	if (position < object.sizeBytes) {
		throw new CodedError<PopNodeErrorCode>('POP_NODE_HEADEND_UNREACHABLE', {
			message: 'The headend ended an object before its length; it is resumed.',
			details: {path: object.path, receivedBytes: position, sizeBytes: object.sizeBytes, status: 502},
			retryable: true,
		});
	}
	await requireDigest(hash, object, partialPath);
};

const resumesAt = (answer: HeadendAnswer, offset: number): boolean =>
	answer.status === 206 && answer.headers.get('content-range')?.startsWith(`bytes ${offset}-`) === true;

/** A tag that is no digest of ours, as a cache in between may make it, tells nothing. */
const hasOtherVersion = (answer: HeadendAnswer, {sha256}: CatalogueObject): boolean => {
	const [, told] = /^"([0-9a-f]{64})"$/u.exec(answer.headers.get('etag') ?? '') ?? [];
	return told !== undefined && told !== sha256;
};

/** Feeds what is already there to the hash and answers how much it is; a file too long is worthless. */
const hashExisting = async (path: string, sizeBytes: number, hash: Hash): Promise<number> => {
	let bytes = 0;
	try {
		for await (const chunk of createReadStream(path, {highWaterMark: 1024 * 1024})) {
			hash.update(chunk as Buffer);
			bytes += (chunk as Buffer).length;
		}
	} catch (error) {
		if (hasCode(error, 'ENOENT')) {
			return 0;
		}
		throw error;
	}
	if (bytes > sizeBytes) {
		await rm(path, {force: true});
		return hashExisting(path, sizeBytes, createHash('sha256'));
	}
	return bytes;
};

const writeAll = async (handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> => {
	let writtenBytes = 0;
	while (writtenBytes < bytes.length) {
		const {bytesWritten} = await handle.write(
			bytes,
			writtenBytes,
			bytes.length - writtenBytes,
			position + writtenBytes,
		);
		writtenBytes += bytesWritten;
	}
};

const requireDigest = async (hash: Hash, object: CatalogueObject, partialPath: string): Promise<void> => {
	const sha256 = hash.digest('hex');
	if (sha256 !== object.sha256) {
		await rm(partialPath, {force: true});
		throw corrupt(object, `its SHA-256 is ${sha256}`);
	}
};

const corrupt = (object: CatalogueObject, why: string): CodedError =>
	new CodedError<PopNodeErrorCode>('POP_NODE_OBJECT_CORRUPT', {
		message: `What the headend sent is not the object of its catalogue: ${why}.`,
		details: {path: object.path, sha256: object.sha256, status: 502},
		retryable: true,
	});

const changed = (object: CatalogueObject): CodedError =>
	new CodedError<PopNodeErrorCode>('POP_NODE_OBJECT_CHANGED', {
		message: 'The headend has another version of an object than its catalogue has told us of.',
		details: {path: object.path, sha256: object.sha256, status: 502},
		retryable: true,
	});

const toCoded = (error: unknown, object: CatalogueObject): unknown => {
	if (hasCode(error, 'ENOSPC', 'EDQUOT')) {
		return new CodedError<PopNodeErrorCode>('POP_NODE_STORE_FULL', {
			message: 'The disk is full; lower pop-node.store.budgetBytes or free some room.',
			cause: error,
			details: {status: 507},
			retryable: true,
		});
	}
	if (error instanceof CodedError) {
		return error;
	}
	return new CodedError<PopNodeErrorCode>('POP_NODE_HEADEND_UNREACHABLE', {
		message: `A download broke: ${errorMessage(error)}; it is resumed.`,
		cause: error,
		details: {path: object.path, status: 502},
		retryable: true,
	});
};
