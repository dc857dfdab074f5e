import {entityTagOf} from '#appliance/contract/catalogue-schema.ts';
import {type ObjectUri, pathOfObjectUri} from '#appliance/contract/object-uri.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import {askOrigin, type OriginAccess, type OriginAnswer} from '#stb/serve/ask-origin.ts';
import {originFactsOf} from '#stb/serve/origin-facts.ts';

/**
 * Asks for a whole object. Where a stale copy lies here the question is whether it still holds (RFC 9111 section 4.3):
 * `unchanged` costs no body, and the copy is as fresh as the origin says from now on.
 */
export const askForObject = async (
	uri: ObjectUri,
	{
		access,
		cache,
		clock,
		signal,
	}: {
		readonly access: OriginAccess;
		readonly cache: Pick<ObjectCache, 'peek' | 'renew'>;
		readonly clock: Clock;
		readonly signal: AbortSignal;
	},
): Promise<OriginAnswer | 'unchanged'> => {
	const held = cache.peek(uri);
	if (held !== undefined) {
		const answer = await askOrigin(access, {
			uri,
			headers: {'if-none-match': entityTagOf(held.sha256)},
			accept: ({statusCode}) => statusCode === 200 || statusCode === 304,
			signal,
		});
		if (answer.response.statusCode === 200) {
			return answer;
		}
		// A 304 has no body; reading its end gives the connection back.
		answer.response.resume();
		const {expiresMs, freshUntilMs} = originFactsOf(answer.response.headers, pathOfObjectUri(uri), clock.nowMs());
		if (await cache.renew({uri, sha256: held.sha256, expiresMs, freshUntilMs})) {
			return 'unchanged';
		}
		// The copy has left meanwhile.
	}
	return await askOrigin(access, {uri, accept: ({statusCode}) => statusCode === 200, signal});
};
