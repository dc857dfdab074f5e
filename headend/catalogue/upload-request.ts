import type {IncomingHttpHeaders} from 'node:http';
import {type Priority, prioritySchema} from '#appliance/contract/catalogue-schema.ts';
import {headendError} from '#headend/error-code.ts';

/** What the headers of a PUT say, checked. */
export type UploadRequest = {
	readonly contentType?: string | undefined;
	readonly priority: Priority;
	readonly service?: string | undefined;
	readonly expiresMs?: number | undefined;
	/** Lower-case hex of Repr-Digest (RFC 9530); the object is refused when it differs. */
	readonly sha256?: string | undefined;
	/** First byte of this body within the whole; 0 without Content-Range. */
	readonly startBytes: number;
	/** One after the last byte of this body; absent for a chunked body. */
	readonly endBytes?: number | undefined;
	/** Length of the whole; absent for a chunked body. */
	readonly totalBytes?: number | undefined;
};

const contentTypePattern = /^[\w.+-]+\/[\w.+-]+(\s*;\s*[\w-]+=("[^"\r\n]{0,80}"|[\w.+-]{1,80}))*$/u;
const servicePattern = /^[\w.:/+-]{1,200}$/u;

const invalid = (header: string, value: unknown, expectation: string): Error =>
	headendError('HEADEND_HEADER_INVALID', {
		status: 400,
		message: `${header} ${expectation}.`,
		details: {header, value: String(value).slice(0, 200)},
	});

/** @throws CodedError HEADEND_HEADER_INVALID */
export const parseUploadRequest = (headers: IncomingHttpHeaders, nowMs: number): UploadRequest => ({
	contentType: contentTypeOf(headers),
	priority: priorityOf(headers),
	service: serviceOf(headers),
	expiresMs: expiresOf(headers, nowMs),
	sha256: digestOf(headers),
	...rangeOf(headers),
});

const contentTypeOf = ({'content-type': value}: IncomingHttpHeaders): string | undefined => {
	if (value === undefined || value === '') {
		return undefined;
	}
	if (value.length > 200 || !contentTypePattern.test(value)) {
		throw invalid('Content-Type', value, 'must be a media type');
	}
	return value;
};

const priorityOf = ({'streamverse-priority': value}: IncomingHttpHeaders): Priority => {
	const parsed = prioritySchema.exclude(['live']).default('medium').safeParse(value);
	if (!parsed.success) {
		throw invalid('Streamverse-Priority', value, 'must be high, medium or low');
	}
	return parsed.data;
};

const serviceOf = ({'streamverse-service': value}: IncomingHttpHeaders): string | undefined => {
	if (value !== undefined && (typeof value !== 'string' || !servicePattern.test(value))) {
		throw invalid('Streamverse-Service', value, 'must be 1 to 200 of letters, digits and _.:/+-');
	}
	return value;
};

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/u;

const expiresOf = ({'streamverse-expires': value}: IncomingHttpHeaders, nowMs: number): number | undefined => {
	if (value === undefined) {
		return undefined;
	}
	const expiresMs = typeof value === 'string' && rfc3339.test(value) ? Date.parse(value) : Number.NaN;
	if (Number.isNaN(expiresMs) || expiresMs <= nowMs) {
		throw invalid('Streamverse-Expires', value, 'must be an RFC 3339 time in the future');
	}
	return expiresMs;
};

const digestOf = ({'repr-digest': value}: IncomingHttpHeaders): string | undefined => {
	if (value === undefined) {
		return undefined;
	}
	const match = typeof value === 'string' ? /(?:^|,\s*)sha-256=:([A-Za-z0-9+/]{43}=):/u.exec(value) : null;
	if (match?.[1] === undefined) {
		throw invalid('Repr-Digest', value, 'must hold sha-256=:<base64>: (RFC 9530)');
	}
	return Buffer.from(match[1], 'base64').toString('hex');
};

const rangeOf = (
	headers: IncomingHttpHeaders,
): {readonly startBytes: number; readonly endBytes?: number; readonly totalBytes?: number} => {
	const length = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
	const value = headers['content-range'];
	if (value === undefined) {
		return length === undefined ? {startBytes: 0} : {startBytes: 0, endBytes: length, totalBytes: length};
	}
	const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/u.exec(value);
	const [first, last, total] = (match?.slice(1) ?? []).map(Number);
	if (first === undefined || last === undefined || total === undefined || first > last || last >= total) {
		throw invalid('Content-Range', value, 'must be bytes <first>-<last>/<total>');
	}
	if (length !== undefined && length !== last - first + 1) {
		throw invalid('Content-Range', value, 'disagrees with Content-Length');
	}
	return {startBytes: first, endBytes: last + 1, totalBytes: total};
};
