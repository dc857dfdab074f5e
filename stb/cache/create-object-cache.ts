import type {Logger} from '#appliance/log/logger.ts';
import type {CacheOptions} from '#stb/cache/cache-config.ts';
import {cacheLayout} from '#stb/cache/cache-layout.ts';
import {DiskObjectCache} from '#stb/cache/disk-object-cache.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';

/** A cache below `directory` (`<stateDirectory>/cache`); `start` it before use. */
export const createObjectCache = ({
	directory,
	...options
}: CacheOptions & {readonly directory: string; readonly logger: Logger}): ObjectCache =>
	new DiskObjectCache({...options, layout: cacheLayout(directory)});
