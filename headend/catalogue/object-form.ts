import type {ObjectForm} from '#headend/catalogue/catalogue-entry.ts';

const hlsTypes = ['application/vnd.apple.mpegurl', 'application/x-mpegurl', 'audio/mpegurl', 'audio/x-mpegurl'];

export type FormSample = {readonly contentType: string; readonly head: Buffer; readonly sizeBytes: number};

/** What an object is, by its type and its first bytes; undefined for everything else. */
export const objectFormOf = (object: FormSample): ObjectForm | undefined =>
	isInitSegment(object) ? 'init' : manifestFormOf(object);

const manifestFormOf = (object: FormSample): ObjectForm | undefined => {
	const type = object.contentType.split(';')[0]?.trim().toLowerCase() ?? '';
	if (type === 'application/dash+xml') {
		return object.head.includes('<MPD') ? 'dash' : undefined;
	}
	if (!hlsTypes.includes(type) || !object.head.subarray(0, 16).includes('#EXTM3U')) {
		return undefined;
	}
	// RFC 8216 section 4.3.4.2: only a multivariant playlist holds it.
	return object.head.includes('#EXT-X-STREAM-INF') ? 'hls-multivariant' : 'hls-media';
};

/**
 * An initialisation segment begins with `ftyp` and holds no media (ISO/IEC 14496-12 section 4.3; CMAF, ISO/IEC 23000-19
 * section 7.3.1: media segments begin with styp, prft, emsg or moof).
 */
const isInitSegment = (object: FormSample): boolean =>
	object.sizeBytes <= object.head.length &&
	object.head.subarray(4, 8).toString('latin1') === 'ftyp' &&
	object.head.includes('moov') &&
	!object.head.includes('moof');
