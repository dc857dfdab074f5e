import {extname} from 'node:path';
import {lookup} from 'mime-types';

/** What streaming uses and mime-types lacks or names otherwise (DASH: ISO/IEC 23009-1, CMAF: 23000-19, HLS: RFC 8216). */
const streamingTypes: Readonly<Record<string, string>> = {
	'.m4s': 'video/iso.segment',
	'.m4i': 'video/mp4',
	'.cmfv': 'video/mp4',
	'.cmfa': 'audio/mp4',
	'.cmft': 'application/mp4',
	'.cmfm': 'application/mp4',
	'.m4a': 'audio/mp4',
	'.m4v': 'video/mp4',
	'.mp4': 'video/mp4',
	'.mpd': 'application/dash+xml',
	'.m3u8': 'application/vnd.apple.mpegurl',
	'.ts': 'video/mp2t',
	'.vtt': 'text/vtt; charset=utf-8',
	'.ttml': 'application/ttml+xml',
	'.jpg': 'image/jpeg',
	'.jpeg': 'image/jpeg',
	'.png': 'image/png',
	'.webp': 'image/webp',
	'.json': 'application/json',
	'.xml': 'application/xml',
};

export const contentTypesByExtension = (): Readonly<Record<string, string>> => streamingTypes;

/** The MIME type for a path, for objects that came without one. */
export const contentTypeOf = (path: string): string => {
	const extension = extname(path).toLowerCase();
	return streamingTypes[extension] ?? (lookup(extension) || 'application/octet-stream');
};
