import {CodedError} from '#appliance/error/coded-error.ts';
import type {StbErrorCode} from '#stb/error-code.ts';
import {parseContentRange} from '#stb/repair/content-range.ts';

export type RangePart = {readonly offset: number; readonly totalBytes?: number; readonly bytes: Uint8Array};

const partsMax = 1024;
const partHeaderBytesMax = 8192;
/** RFC 2046 section 5.1.1: at most 70 characters. */
const boundaryPattern = /^multipart\/byteranges\s*;.*\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/iu;

export const multipartBoundary = (contentType: string | null): string | undefined => {
	const match = boundaryPattern.exec(contentType ?? '');
	return match?.[1] ?? match?.[2];
};

/**
 * The parts of a multipart/byteranges body (RFC 9110 section 14.6). A part's length is taken from its Content-Range and
 * not from the search for the next boundary, because the boundary's bytes may well occur inside of a media segment.
 */
export const parseMultipartRanges = (body: Buffer, boundary: string): readonly RangePart[] => {
	const delimiter = Buffer.from(`--${boundary}`);
	const parts: RangePart[] = [];
	let at = body.indexOf(delimiter);
	while (at !== -1 && body.toString('latin1', at + delimiter.length, at + delimiter.length + 2) !== '--') {
		if (parts.length === partsMax) {
			throw invalid('it has too many parts');
		}
		const headerStart = body.indexOf('\r\n', at + delimiter.length);
		const headerEnd = headerStart === -1 ? -1 : body.indexOf('\r\n\r\n', headerStart);
		if (headerEnd === -1 || headerEnd - headerStart > partHeaderBytesMax) {
			throw invalid('a part has no head');
		}
		const range = parseContentRange(headerOf(body.toString('latin1', headerStart, headerEnd), 'content-range'));
		const start = headerEnd + 4;
		if (range === undefined || start + range.length > body.length) {
			throw invalid('a part’s range makes no sense or is cut short');
		}
		parts.push({
			offset: range.offset,
			bytes: body.subarray(start, start + range.length),
			...(range.totalBytes === undefined ? {} : {totalBytes: range.totalBytes}),
		});
		at = body.indexOf(delimiter, start + range.length);
	}
	return parts;
};

const headerOf = (head: string, name: string): string | undefined =>
	head
		.split('\r\n')
		.find((line) => line.toLowerCase().startsWith(`${name}:`))
		?.slice(name.length + 1);

const invalid = (why: string): CodedError<StbErrorCode> =>
	new CodedError<StbErrorCode>('STB_REPAIR_RESPONSE_INVALID', {
		message: `The repair server sent several ranges in a form that cannot be read: ${why}.`,
		retryable: true,
	});
