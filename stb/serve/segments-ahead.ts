import {type ObjectUri, pathOfObjectUri} from '#appliance/contract/object-uri.ts';
import {errorMessage, hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import type {Arrivals} from '#stb/serve/arrivals.ts';
import type {Origin} from '#stb/serve/origin.ts';
import {nextByNumber, segmentsOfPlaylist, templateOf} from '#stb/serve/playlist.ts';
import type {ServedFrom} from '#stb/serve/response-headers.ts';

const playlistsMax = 64;
const wrongTemplatesMax = 256;
/** A template whose next number does not exist (the end of a title, the live edge, $Time$) rests for so long. */
const templateRestMs = 3000;
const playlistBytesMax = 2 * 1024 * 1024;

export type SegmentsAhead = {
	/** A player was given this object: learn from a playlist, fetch ahead of a segment that came terrestrially. */
	readonly observe: (uri: ObjectUri, from: ServedFrom) => void;
	/** Resolves when what was started has ended; for tests and for a calm stop. */
	readonly idle: () => Promise<void>;
};

/**
 * Fetches the next segments while a player watches one that the satellite did not bring. What comes by satellite is left
 * to it: an object that was received, is arriving or is cached costs no terrestrial byte.
 */
export const createSegmentsAhead = (options: {
	readonly cache: ObjectCache;
	readonly arrivals: Arrivals;
	readonly origin: Origin;
	readonly clock: Clock;
	readonly logger: Logger;
}): SegmentsAhead => {
	const {cache, arrivals, origin, clock, logger} = options;
	const playlists = new Map<string, readonly ObjectUri[]>();
	const restUntilMs = new Map<string, number>();
	const busy = new Set<Promise<void>>();

	const learn = async (uri: ObjectUri): Promise<void> => {
		await origin.settled(uri);
		const opened = await cache.open(uri);
		if (opened === undefined || opened.object.sizeBytes > playlistBytesMax) {
			await opened?.handle.close();
			return;
		}
		await using handle = opened.handle;
		const segments = segmentsOfPlaylist(await handle.readFile('utf8'), uri);
		playlists.delete(uri);
		if (segments.length > 0) {
			playlists.set(uri, segments);
		}
		const oldest = playlists.keys().next();
		if (playlists.size > playlistsMax && oldest.done === false) {
			playlists.delete(oldest.value);
		}
	};
	const nextOf = (uri: ObjectUri): readonly ObjectUri[] => {
		const count = origin.limits.segmentsAhead;
		for (const segments of playlists.values()) {
			const at = segments.lastIndexOf(uri);
			if (at !== -1) {
				return segments.slice(at + 1, at + 1 + count);
			}
		}
		const template = templateOf(uri);
		const resting = template === undefined || (restUntilMs.get(template) ?? 0) > clock.monotonicMs();
		return resting ? [] : nextByNumber(uri, count);
	};
	const rest = (uri: ObjectUri): void => {
		const template = templateOf(uri);
		if (template !== undefined) {
			if (restUntilMs.size >= wrongTemplatesMax) {
				restUntilMs.clear();
			}
			restUntilMs.set(template, clock.monotonicMs() + templateRestMs);
		}
	};
	const fetchNext = async (uri: ObjectUri): Promise<void> => {
		for (const next of nextOf(uri)) {
			if (cache.peek(next) !== undefined || arrivals.find(next) !== undefined || origin.fetching(next)) {
				continue;
			}
			try {
				// The size is awaited before the next one is asked for, so that the end of a title costs one 404, not three.
				await origin.fetch(next, {ahead: true}).facts;
			} catch (error) {
				if (hasCode(error, 'HTTP_NOT_FOUND')) {
					rest(uri);
				}
				logger.debug({uri: next, reason: errorMessage(error)}, 'a segment was not fetched ahead');
				return;
			}
		}
	};
	const run = (task: Promise<void>): void => {
		const settled = task.catch((error: unknown) => {
			logger.debug({reason: errorMessage(error)}, 'looking ahead failed');
		});
		busy.add(settled);
		void settled.then(() => busy.delete(settled));
	};
	return {
		observe: (uri, from) => {
			if (pathOfObjectUri(uri).endsWith('.m3u8')) {
				run(learn(uri));
			} else if (from === 'terrestrial' || (from === 'cache' && cache.peek(uri)?.source === 'terrestrial')) {
				run(fetchNext(uri));
			}
		},
		idle: async () => {
			while (busy.size > 0) {
				await Promise.all(busy);
			}
		},
	};
};
