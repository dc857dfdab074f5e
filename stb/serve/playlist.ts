import {type ObjectUri, parseObjectUri} from '#appliance/contract/object-uri.ts';

const playlistBytesMax = 2 * 1024 * 1024;
const segmentsMax = 50_000;

/** The segments of an HLS media playlist in order (RFC 8216); none for a multivariant one, or what is none at all. */
export const segmentsOfPlaylist = (text: string, playlistUri: ObjectUri): readonly ObjectUri[] => {
	if (text.length > playlistBytesMax || !text.startsWith('#EXTM3U') || text.includes('#EXT-X-STREAM-INF')) {
		return [];
	}
	const segments: ObjectUri[] = [];
	for (const raw of text.split('\n', segmentsMax * 4)) {
		const line = raw.trim();
		const url = line === '' || line.startsWith('#') ? null : URL.parse(line, playlistUri);
		if (url !== null && segments.length < segmentsMax) {
			try {
				segments.push(parseObjectUri(url.href));
			} catch {
				// A line that names no object of ours is nothing to fetch.
			}
		}
	}
	return segments;
};

const numbered = /^(.*?)(\d{1,9})(\.(?:m4s|mp4|cmfv|cmfa|cmft|ts|m4a|m4v|aac|vtt))$/iu;

/**
 * The segments after this one by its number, the way a DASH SegmentTemplate with $Number$ (ISO/IEC 23009-1 clause
 * 5.3.9.4) and nearly every packager's HLS name them. A $Time$ template gives names that do not exist: one 404 ends it.
 */
export const nextByNumber = (uri: ObjectUri, count: number): readonly ObjectUri[] => {
	const slash = uri.lastIndexOf('/') + 1;
	const match = numbered.exec(uri.slice(slash));
	if (match === null) {
		return [];
	}
	const [, before = '', digits = '', after = ''] = match;
	return Array.from({length: count}, (_, index) => {
		const number = String(Number(digits) + index + 1).padStart(digits.length, '0');
		return parseObjectUri(`${uri.slice(0, slash)}${before}${number}${after}`);
	});
};

/** What stays the same over the segments of one template; undefined for what has no number. */
export const templateOf = (uri: ObjectUri): string | undefined => {
	const slash = uri.lastIndexOf('/') + 1;
	const match = numbered.exec(uri.slice(slash));
	return match === null ? undefined : `${uri.slice(0, slash)}${match[1]}#${match[3]}`;
};
