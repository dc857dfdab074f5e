import {isFresh} from '#stb/cache/cached-object.ts';

/** How an answer came about; players show it, tests and the NOC count it. */
export type ServedFrom = 'cache' | 'arriving' | 'terrestrial' | 'stale';

/** An object may be replaced under its URI, so that a player's own cache asks again soon; asking costs a 304. */
export const playerCacheSeconds = 60;

export const servingHeaders = (
	from: ServedFrom,
	object: {readonly freshUntilMs?: number | undefined; readonly expiresMs?: number | undefined},
	nowMs: number,
): Readonly<Record<string, string>> => ({
	'Streamverse-Source': from,
	'Cache-Control':
		object.freshUntilMs === undefined && isFresh(object, nowMs) ? `max-age=${playerCacheSeconds}` : 'no-cache',
});
