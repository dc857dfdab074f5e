import type {ExecutionContext} from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import type {CacheOptions} from '#stb/cache/cache-config.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import type {ArrivingObject} from '#stb/serve/arrivals.ts';
import type {OriginLimits} from '#stb/serve/serve-options.ts';
import {type Serving, type ServingOptions, startServing} from '#stb/serve/start-serving.ts';
import {withObjectCache} from '#test/helper/with-object-cache.ts';

export type ServingBox = {
	readonly serving: Serving;
	readonly cache: ObjectCache;
	readonly url: string;
	/** What the fake receiver says is arriving; the real one is stb/assemble. */
	readonly arriving: Map<string, ArrivingObject>;
};

/** A set-top's cache and serving side on loopback, with what arrives faked. */
export const withServing = async (
	t: ExecutionContext,
	options: Partial<ServingOptions> & {
		readonly cacheOptions?: CacheOptions & {readonly directory?: string};
		readonly baseUrls?: readonly string[];
		readonly limits?: Partial<OriginLimits>;
	} = {},
): Promise<ServingBox> => {
	const {cacheOptions, baseUrls = [], limits = {}, ...rest} = options;
	const cache = await withObjectCache(t, cacheOptions);
	const arriving = new Map<string, ArrivingObject>();
	const serving = await startServing({
		cache,
		arrivals: {find: (uri) => arriving.get(uri), settled: () => Promise.resolve()},
		origin: {
			objectBaseUri: 'http://dvb.gw/streamverse/',
			baseUrls: () => baseUrls.map((url, index) => ({url, weight: 2 ** (40 * -index)})),
			limits,
		},
		listen: {host: '127.0.0.1', port: 0},
		dataPlane: 'node',
		logger: silentLogger(),
		signal: new AbortController().signal,
		random: () => 0.5,
		...rest,
	});
	t.teardown(async () => await serving[Symbol.asyncDispose]());
	return {serving, cache, url: `${serving.url}/streamverse/`, arriving};
};
