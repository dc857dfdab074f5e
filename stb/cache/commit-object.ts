import {lstat, rename, rm, utimes} from 'node:fs/promises';
import {join} from 'node:path';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import {objectPath, sidecarPath} from '#stb/cache/cache-layout.ts';
import {type CacheState, enterObjects, showInWeb} from '#stb/cache/cache-state.ts';
import {type CommitRequest, isExpired, type StoredObject, sidecarOf} from '#stb/cache/cached-object.ts';
import {contentStampSeconds} from '#stb/cache/content-stamp.ts';
import {syncDirectory, syncFile, writeDurably} from '#stb/cache/durable-file.ts';
import {evictFor} from '#stb/cache/evict.ts';
import {removeFiles} from '#stb/cache/recover-objects.ts';
import type {StbErrorCode} from '#stb/error-code.ts';

type Waiting = {
	readonly object: StoredObject;
	readonly filePath: string;
	readonly resolve: () => void;
	readonly reject: (error: unknown) => void;
};

/** What is freed when the disk refuses a write although the plan said that it fits. */
const emergencyBytes = 4 * 1024 * 1024;

export type Committer = (request: CommitRequest) => Promise<StoredObject>;

/**
 * A commit makes the file durable, then its sidecar, renames the file, syncs the directory and enters the index: kill it
 * anywhere and there is either a whole pair (adopted at start) or halves (removed at start). Commits that wait for the
 * queue share one turn, so that ten thousand small objects do not cost ten thousand syncs of the directory.
 */
export const createCommitter = (state: CacheState): Committer => {
	let waiting: Waiting[] = [];
	const publishWaiting = async (): Promise<void> => {
		const batch = waiting;
		waiting = [];
		if (batch.length > 0) {
			await publish(state, batch);
		}
	};
	return async (request) => {
		assertNotExpired(state, request);
		const same = await refreshSame(state, request);
		if (same !== undefined) {
			return same;
		}
		await assertFile(request);
		const reservedBytes = await reserve(state, request);
		state.generation += 1;
		const object = storedObjectOf(state, request);
		try {
			await makeDurable(state, object, request.filePath);
			const {promise, resolve, reject} = Promise.withResolvers<void>();
			waiting.push({object, filePath: request.filePath, resolve, reject});
			await Promise.all([promise, state.queue(publishWaiting)]);
			state.commits += 1;
			return object;
		} catch (error) {
			await removeFiles(state.layout, object.generation);
			throw error;
		} finally {
			state.reservedBytes -= reservedBytes;
		}
	};
};

/** The same bytes again (a carousel repeats) only bring new dates. */
const refreshSame = async (state: CacheState, request: CommitRequest): Promise<StoredObject | undefined> => {
	if (state.index.find(request.uri)?.sha256 !== request.sha256) {
		return undefined;
	}
	return await state.queue(async () => {
		const existing = state.index.find(request.uri);
		if (existing?.sha256 !== request.sha256 || existing.sizeBytes !== request.sizeBytes) {
			return undefined;
		}
		const {generation, lastUsedMs, source} = existing;
		const object = {...storedObjectOf(state, request), generation, lastUsedMs, source};
		await writeSidecar(state, object);
		state.index.put([object]);
		await showInWeb(state, object);
		await rm(request.filePath, {force: true});
		return object;
	});
};

const assertFile = async (request: CommitRequest): Promise<void> => {
	const facts = await lstat(request.filePath);
	if (!facts.isFile() || facts.size !== request.sizeBytes) {
		throw new CodedError<StbErrorCode>('STB_CACHE_OBJECT_INVALID', {
			message: 'A file offered to the cache is not what was announced.',
			details: {uri: request.uri, sizeBytes: request.sizeBytes, actualBytes: facts.size},
		});
	}
};

const assertNotExpired = (state: CacheState, request: CommitRequest): void => {
	if (isExpired(request, state.clock.nowMs())) {
		throw new CodedError<StbErrorCode>('STB_CACHE_OBJECT_INVALID', {
			message: 'An object offered to the cache has expired.',
			details: {uri: request.uri, expiresMs: request.expiresMs},
		});
	}
};

const storedObjectOf = (state: CacheState, request: CommitRequest): StoredObject => {
	const nowMs = state.clock.nowMs();
	return {
		uri: request.uri,
		generation: state.generation,
		sizeBytes: request.sizeBytes,
		sha256: request.sha256,
		contentType: request.contentType,
		priority: request.priority,
		source: request.source,
		storedMs: nowMs,
		lastUsedMs: nowMs,
		expiresMs: request.expiresMs ?? nowMs + state.objectExpiryMs,
		...(request.freshUntilMs === undefined ? {} : {freshUntilMs: request.freshUntilMs}),
		pinned: state.index.find(request.uri)?.pinned ?? false,
	};
};

const reserve = async (state: CacheState, {uri, sizeBytes, priority}: CommitRequest): Promise<number> =>
	await state.queue(async () => {
		// What it replaces leaves with the commit, so only the difference needs room.
		const replacedBytes = state.index.find(uri)?.sizeBytes ?? 0;
		const bytes = Math.max(0, sizeBytes - replacedBytes);
		if (sizeBytes > state.budgetBytes || !(await evictFor(state, {bytes, unwrittenBytes: 0, priority}))) {
			throw new CodedError<StbErrorCode>('STB_CACHE_FULL', {
				message: 'The cache has no room for this object beside those that outrank it; raise its budget or unpin.',
				details: {uri, sizeBytes, budgetBytes: state.budgetBytes, status: 507},
			});
		}
		state.reservedBytes += bytes;
		return bytes;
	});

const makeDurable = async (state: CacheState, object: StoredObject, filePath: string): Promise<void> => {
	const stampSeconds = contentStampSeconds(object.sha256);
	await utimes(filePath, stampSeconds, stampSeconds);
	await syncFile(filePath);
	try {
		await writeSidecar(state, object);
	} catch (error) {
		if (!hasCode(error, 'ENOSPC', 'EDQUOT')) {
			throw error;
		}
		// The object itself is on the disk already; its sidecar must not fail for want of a block.
		await state.queue(async () => {
			await evictFor(state, {bytes: 0, unwrittenBytes: emergencyBytes, priority: object.priority});
		});
		await writeSidecar(state, object);
	}
};

export const writeSidecar = async (state: CacheState, object: StoredObject): Promise<void> => {
	await writeDurably(sidecarPath(state.layout, object.generation), JSON.stringify(sidecarOf(object)), {
		temporaryPath: join(state.layout.incoming, `${object.generation}.sidecar`),
	});
};

const publish = async (state: CacheState, batch: readonly Waiting[]): Promise<void> => {
	const renamed: Waiting[] = [];
	for (const item of batch) {
		try {
			await rename(item.filePath, objectPath(state.layout, item.object.generation));
			renamed.push(item);
		} catch (error) {
			item.reject(error);
		}
	}
	try {
		await syncDirectory(state.layout.objects);
		await enterOnFullDisk(
			state,
			renamed.map(({object}) => object),
		);
	} catch (error) {
		for (const item of renamed) {
			item.reject(error);
		}
		return;
	}
	for (const item of renamed) {
		item.resolve();
	}
};

/** The index needs a few blocks of its own; on a full disk something is given up for them. Within the queue. */
const enterOnFullDisk = async (state: CacheState, objects: readonly StoredObject[]): Promise<void> => {
	try {
		await enterObjects(state, objects);
	} catch (error) {
		if (!hasCode(error, 'SQLITE_FULL')) {
			throw error;
		}
		await evictFor(state, {bytes: 0, unwrittenBytes: emergencyBytes, priority: 'live'});
		await enterObjects(state, objects);
	}
};

/** A full disk has one name, whichever call met it. */
export const asCacheError = (error: unknown): unknown =>
	hasCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG', 'SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE', 'SQLITE_IOERR_WRITE')
		? new CodedError<StbErrorCode>('STB_CACHE_FULL', {
				message: 'The disk is full; the object was not kept.',
				cause: error,
				details: {status: 507},
				retryable: true,
			})
		: error;
