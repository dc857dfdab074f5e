import {CodedError} from '#appliance/error/coded-error.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';

export type Asked = {
	readonly from: number;
	/** Exclusive. */
	readonly to: number;
	readonly sizeBytes: number;
	readonly entityTag: string | undefined;
};

export type ResponseHead = {
	readonly status: number;
	readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
};

/** Where the body's first byte belongs, and how many may come. */
export type Body = {readonly offset: number; readonly length: number; readonly entityTag: string | undefined};

const contentRange = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/u;
/** Client errors that pass by themselves (RFC 9110 15.5.9, RFC 8470, RFC 6585). */
const passing = [408, 425, 429];

/**
 * What an answer to a range request is good for. Throws: `OTA_FETCH_REFUSED` is final; `OTA_FETCH_UNAVAILABLE` and
 * `OTA_FETCH_INVALID` (a captive portal, a broken proxy) pass; `OTA_FETCH_CHANGED` says that other bytes lie there now.
 */
export const judgeResponse = ({status, headers}: ResponseHead, asked: Asked): Body => {
	if (status >= 500 || passing.includes(status)) {
		const retryAfter = text(headers['retry-after']);
		throw failure('OTA_FETCH_UNAVAILABLE', `The server answered ${status}.`, {status, retryAfter});
	}
	if (status >= 400) {
		throw failure('OTA_FETCH_REFUSED', `The server answered ${status}.`, {status});
	}
	if (status !== 200 && status !== 206) {
		throw failure('OTA_FETCH_INVALID', `The server answered ${status}, not the bundle.`, {status});
	}
	if ((text(headers['content-encoding']) ?? 'identity') !== 'identity') {
		throw failure('OTA_FETCH_INVALID', 'The server encoded what it was asked to leave as it is.');
	}
	const entityTag = strongTag(text(headers['etag']));
	if (asked.entityTag !== undefined && entityTag !== undefined && entityTag !== asked.entityTag) {
		throw failure('OTA_FETCH_CHANGED', 'The bundle was replaced while it was fetched.');
	}
	const body = status === 206 ? judgePartial(headers, asked) : judgeWhole(headers, asked);
	const length = text(headers['content-length']);
	if (length !== undefined && (!/^\d{1,15}$/u.test(length) || Number(length) !== body.length)) {
		throw failure('OTA_FETCH_INVALID', 'The answer’s length is not that of the bundle.', {length});
	}
	return {...body, entityTag};
};

type Span = {readonly offset: number; readonly length: number};

const judgePartial = (headers: ResponseHead['headers'], {from, to, sizeBytes}: Asked): Span => {
	const match = contentRange.exec(text(headers['content-range'])?.trim() ?? '');
	const [first, last, total] = [Number(match?.[1]), Number(match?.[2]), match?.[3]];
	const wrong =
		match === null || first !== from || last < first || last >= to || (total !== '*' && Number(total) !== sizeBytes);
	if (wrong) {
		throw failure('OTA_FETCH_INVALID', 'The answer is not the range that was asked for.', {
			contentRange: text(headers['content-range']),
			from,
			to,
		});
	}
	return {offset: first, length: last - first + 1};
};

/** A server without ranges, or one whose representation is not the one that `If-Range` named (RFC 9110 13.1.5). */
const judgeWhole = (headers: ResponseHead['headers'], {sizeBytes, entityTag, from}: Asked): Span => {
	if (/^text\/html\b/iu.test(text(headers['content-type']) ?? '')) {
		throw failure('OTA_FETCH_INVALID', 'A page came instead of the bundle: somebody stands between.');
	}
	if (from > 0 && entityTag !== undefined && strongTag(text(headers['etag'])) === undefined) {
		throw failure('OTA_FETCH_CHANGED', 'The bundle has lost its ETag while it was fetched.');
	}
	return {offset: 0, length: sizeBytes};
};

const strongTag = (tag: string | undefined): string | undefined => (tag?.startsWith('"') ? tag : undefined);

const text = (value: string | readonly string[] | undefined): string | undefined =>
	typeof value === 'string' ? value : value?.join(', ');

const failure = (
	code: AgentErrorCode,
	message: string,
	details: Readonly<Record<string, unknown>> = {},
): CodedError<AgentErrorCode> =>
	new CodedError<AgentErrorCode>(code, {message, details, retryable: code !== 'OTA_FETCH_REFUSED'});

/** `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3); undefined when it says neither. */
export const retryAfterMs = (value: unknown, nowMs: number): number | undefined => {
	if (typeof value !== 'string') {
		return undefined;
	}
	if (/^\d{1,9}$/u.test(value.trim())) {
		return Number(value) * 1000;
	}
	const atMs = Date.parse(value);
	return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
};
