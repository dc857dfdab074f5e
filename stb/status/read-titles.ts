import {parseObjectUri, pathOfObjectUri} from '#appliance/contract/object-uri.ts';
import type {StbTitles} from '#appliance/contract/stb-status-schema.ts';
import type {Title} from '#appliance/contract/title-schema.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';

/** Titles told of, and cached objects counted for each, at most: a page asks for this every few seconds. */
const titlesMax = 500;
const countedMax = 500;

/** What can be played, each with the path on this box that plays it and how much of it lies here already. */
export const readTitles = (titles: readonly Title[], cache: Pick<ObjectCache, 'list'>): StbTitles => ({
	titles: titles.slice(0, titlesMax).flatMap((title) => {
		// The page's player speaks HLS everywhere; DASH is for what has no other manifest.
		const manifest =
			title.manifests.find(({contentType}) => contentType === 'application/vnd.apple.mpegurl') ?? title.manifests[0];
		if (manifest === undefined) {
			return [];
		}
		const uri = parseObjectUri(manifest.uri);
		const folder = uri.slice(0, uri.lastIndexOf('/') + 1);
		const cached = cache.list({after: folder, limit: countedMax}).filter((object) => object.uri.startsWith(folder));
		return [{...title, playPath: pathOfObjectUri(uri), cachedObjects: cached.length}];
	}),
});
