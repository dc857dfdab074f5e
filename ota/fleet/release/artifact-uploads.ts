import {createHash, type Hash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {type FileHandle, mkdir, open, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import type {Sha256} from '#appliance/contract/fleet/release-schema.ts';
import {hasCode} from '#appliance/error/coded-error.ts';
import type {ArtifactStore} from '#ota/fleet/release/artifact-store.ts';
import {releaseServerError} from '#ota/fleet/release/release-server-error.ts';
import type {ArtifactNeed} from '#ota/release/release-artifacts.ts';

export type ArtifactUploads = {
	/** How much is here, in the store or on its way. */
	readonly storedBytes: (need: ArtifactNeed) => Promise<number>;
	/** Takes bytes from `offsetBytes` on; whatever came stays when the line breaks. Answers how much is here now. */
	readonly receive: (
		need: ArtifactNeed,
		upload: {readonly offsetBytes: number; readonly body: AsyncIterable<Buffer>; readonly signal: AbortSignal},
	) => Promise<number>;
};

/** Files grow here until they are whole, and are hashed as they do; only what has the right digest enters the store. */
export const createArtifactUploads = (options: {
	readonly directory: string;
	readonly store: ArtifactStore;
}): ArtifactUploads => {
	const busy = new Set<Sha256>();
	const pathOf = (sha256: Sha256): string => join(options.directory, `${sha256}.part`);
	const storedBytes = async ({sha256, sizeBytes}: ArtifactNeed): Promise<number> =>
		(await options.store.size(sha256)) === sizeBytes ? sizeBytes : await sizeOf(pathOf(sha256));
	return {
		storedBytes,
		receive: async (need, upload) => {
			const {sha256} = need;
			if (busy.has(sha256)) {
				throw releaseServerError('OTA_ARTIFACT_BUSY', {
					status: 409,
					message: 'Somebody else uploads this file at the moment.',
					retryAfterSeconds: 5,
				});
			}
			busy.add(sha256);
			try {
				const presentBytes = await storedBytes(need);
				if (presentBytes === need.sizeBytes) {
					return presentBytes;
				}
				if (upload.offsetBytes > presentBytes) {
					throw releaseServerError('OTA_ARTIFACT_OFFSET_WRONG', {
						status: 409,
						message: `Only ${presentBytes} bytes are here: go on from there.`,
					});
				}
				await mkdir(options.directory, {recursive: true});
				return await receive(need, {...upload, path: pathOf(sha256), store: options.store});
			} finally {
				busy.delete(sha256);
			}
		},
	};
};

const receive = async (
	{sha256, sizeBytes}: ArtifactNeed,
	options: {
		readonly path: string;
		readonly store: ArtifactStore;
		readonly offsetBytes: number;
		readonly body: AsyncIterable<Buffer>;
		readonly signal: AbortSignal;
	},
): Promise<number> => {
	const {path, store, signal} = options;
	const hash = createHash('sha256');
	const handle = await open(path, options.offsetBytes > 0 ? 'r+' : 'w');
	let position = 0;
	try {
		position = await rehash(handle, {path, offsetBytes: options.offsetBytes, hash});
		for await (const chunk of options.body) {
			signal.throwIfAborted();
			if (position + chunk.length > sizeBytes) {
				throw releaseServerError('OTA_ARTIFACT_TOO_LARGE', {
					status: 413,
					message: `The manifest says that this file has ${sizeBytes} bytes; more were sent.`,
				});
			}
			await writeWhole(handle, chunk, position);
			hash.update(chunk);
			position += chunk.length;
		}
		await handle.datasync();
	} finally {
		await handle.close();
	}
	if (position < sizeBytes) {
		return position;
	}
	if (hash.digest('hex') !== sha256) {
		await rm(path, {force: true});
		throw releaseServerError('OTA_ARTIFACT_DIGEST_WRONG', {
			status: 422,
			message: 'These are not the bytes that the manifest names: send the right file from its begin.',
		});
	}
	await store.take(sha256, {path, sizeBytes, signal});
	return sizeBytes;
};

/** What an earlier request brought is trusted no more than what comes now. */
const rehash = async (
	handle: FileHandle,
	{path, offsetBytes, hash}: {readonly path: string; readonly offsetBytes: number; readonly hash: Hash},
): Promise<number> => {
	if (offsetBytes > 0) {
		await handle.truncate(offsetBytes);
		for await (const chunk of createReadStream(path, {highWaterMark: 1 << 20}) as AsyncIterable<Buffer>) {
			hash.update(chunk);
		}
	}
	return offsetBytes;
};

const writeWhole = async (handle: FileHandle, chunk: Buffer, position: number): Promise<void> => {
	for (let written = 0; written < chunk.length; ) {
		const {bytesWritten} = await handle.write(chunk, written, chunk.length - written, position + written);
		written += bytesWritten;
	}
};

const sizeOf = async (path: string): Promise<number> => {
	try {
		return (await stat(path)).size;
	} catch (error) {
		if (hasCode(error, 'ENOENT')) {
			return 0;
		}
		throw error;
	}
};
