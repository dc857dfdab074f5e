import {createHash, randomUUID} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {objectUriOfPath} from '#appliance/contract/object-uri.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import type {CacheOptions} from '#stb/cache/cache-config.ts';
import type {CachedObject, CommitRequest} from '#stb/cache/cached-object.ts';
import {createObjectCache} from '#stb/cache/create-object-cache.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

export const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A started cache in a fresh (or the given) directory. */
export const withObjectCache = async (
	t: ExecutionContext,
	{directory, ...options}: CacheOptions & {readonly directory?: string} = {},
): Promise<ObjectCache> => {
	const cache = createObjectCache({
		directory: directory ?? (await withDirectory(t)),
		logger: silentLogger(),
		diskReserveBytes: 0,
		...options,
	});
	t.teardown(async () => await cache[Symbol.asyncDispose]());
	await cache.start({signal: new AbortController().signal});
	return cache;
};

/** Puts bytes into a cache the way a receiver does: a file in `incoming`, then a commit. */
export const commitBytes = async (
	cache: ObjectCache,
	path: string,
	bytes: Buffer,
	facts: Partial<CommitRequest> = {},
): Promise<CachedObject> => {
	const filePath = join(cache.layout.incoming, randomUUID());
	await writeFile(filePath, bytes);
	return await cache.commit({
		uri: objectUriOfPath(path),
		filePath,
		sizeBytes: bytes.length,
		sha256: sha256Of(bytes),
		contentType: 'video/iso.segment',
		priority: 'medium',
		source: 'multicast',
		...facts,
	});
};

export const readCached = async (cache: ObjectCache, path: string): Promise<Buffer | undefined> => {
	const opened = await cache.open(objectUriOfPath(path));
	if (opened === undefined) {
		return undefined;
	}
	await using handle = opened.handle;
	return await handle.readFile();
};
