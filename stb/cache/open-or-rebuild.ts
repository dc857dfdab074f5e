import {rename, rm} from 'node:fs/promises';
import {hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {type CacheIndex, openCacheIndex} from '#stb/cache/cache-index.ts';
import {isIndexDamage} from '#stb/cache/guard-index.ts';

/** Also an index of a newer release, after a box fell back to this one: it must start, and loses only the order of use. */
const unusableCodes = ['SQLITE_ERROR', 'APPLIANCE_STORE_NEWER'];

/**
 * Opens the index. A damaged one is moved away, one of them kept for whoever wants to know why, and an empty one takes
 * its place: the sidecars of the objects hold everything that it held but the order of use.
 */
export const openOrRebuild = async (path: string, logger: Logger): Promise<CacheIndex> => {
	try {
		return openCacheIndex(path);
	} catch (error) {
		if (!isIndexDamage(error) && !hasCode(error, ...unusableCodes)) {
			throw error;
		}
		logger.warn({err: error, path}, 'the index of the cache is damaged; it is made anew from the objects');
		await moveDamagedAway(path);
		return openCacheIndex(path);
	}
};

/** One damaged index is kept for whoever wants to know why. */
export const moveDamagedAway = async (path: string): Promise<void> => {
	await rename(path, `${path}.damaged`);
	await rm(`${path}-wal`, {force: true});
	await rm(`${path}-shm`, {force: true});
};
