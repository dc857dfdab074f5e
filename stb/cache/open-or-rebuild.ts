import {rename, rm} from 'node:fs/promises';
import {hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {type CacheIndex, openCacheIndex} from '#stb/cache/cache-index.ts';

const damageCodes = [
	'SQLITE_CORRUPT',
	'SQLITE_NOTADB',
	'SQLITE_CORRUPT_INDEX',
	'SQLITE_CORRUPT_SEQUENCE',
	'SQLITE_ERROR',
];

/**
 * Opens the index. A damaged one is moved away, one of them kept for whoever wants to know why, and an empty one takes
 * its place: the sidecars of the objects hold everything that it held but the order of use.
 */
export const openOrRebuild = async (path: string, logger: Logger): Promise<CacheIndex> => {
	try {
		return openCacheIndex(path);
	} catch (error) {
		if (!hasCode(error, ...damageCodes)) {
			throw error;
		}
		logger.warn({err: error, path}, 'the index of the cache is damaged; it is made anew from the objects');
		await rename(path, `${path}.damaged`);
		await rm(`${path}-wal`, {force: true});
		await rm(`${path}-shm`, {force: true});
		return openCacheIndex(path);
	}
};
