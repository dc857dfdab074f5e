import {CodedError} from '#appliance/error/coded-error.ts';
import type {FluteRange} from '#native/flute/receiver-event.ts';
import type {StbErrorCode} from '#stb/error-code.ts';
import {parseContentRange} from '#stb/repair/content-range.ts';
import {multipartBoundary, parseMultipartRanges} from '#stb/repair/multipart-ranges.ts';

export type FetchRangeOptions = {
	readonly url: string;
	/** Absent: the whole object. */
	readonly range?: FluteRange | undefined;
	/** Absent when not known (an object whose FDT tells only its compressed length). */
	readonly sizeBytes?: number | undefined;
	/** The strong ETag that the object must have. */
	readonly entityTag?: string | undefined;
	readonly bytesMax: number;
	readonly signal: AbortSignal;
	readonly onBytes: (offset: number, bytes: Uint8Array) => void | Promise<void>;
};

/** Pieces are handed on in at least this size, so that most of them hold whole symbols. */
const pieceBytesMin = 262_144;
const overheadBytesMax = 65_536;
/** Several ranges are gathered in memory; a longer answer is none to a request of ours, which asks for one. */
const multipartBytesMax = 16 * 1024 * 1024;

/**
 * One GET of TS 103 769 clause 9: HTTP/1.1, Range, If-Range with the strong ETag. Takes whatever honest answer comes: the
 * range, another range, several, or (200) the whole object. Resolves to the body's bytes.
 */
export const fetchRange = async (options: FetchRangeOptions): Promise<{readonly bytes: number}> => {
	const {url, range, entityTag, signal} = options;
	// For a range fetch says this itself.
	const headers: Record<string, string> = range === undefined ? {'accept-encoding': 'identity'} : {};
	if (range !== undefined) {
		headers['range'] = `bytes=${range.offset}-${range.offset + range.length - 1}`;
		if (entityTag !== undefined) {
			headers['if-range'] = entityTag;
		}
	}
	let response: Response;
	try {
		// As for misses, nothing is followed: only hosts that the signalling names are asked.
		response = await fetch(url, {headers, signal, redirect: 'manual'});
	} catch (error) {
		throw unreachable(error, options);
	}
	try {
		checkHead(response, options);
		return await readBody(response, options);
	} catch (error) {
		throw error instanceof CodedError ? error : unreachable(error, options);
	} finally {
		await cancelBody(response);
	}
};

/** A body that is not read to its end holds its connection; a body that failed has nothing left to cancel. */
const cancelBody = async (response: Response): Promise<void> => {
	if (response.body !== null && !response.bodyUsed) {
		await response.body.cancel().catch(() => undefined);
	}
};

const unreachable = (cause: unknown, {url, signal}: FetchRangeOptions): unknown => {
	if (signal.aborted) {
		return signal.reason;
	}
	return failure('STB_REPAIR_SERVER_FAILED', 'The repair server cannot be reached or broke off.', url, cause);
};

const failure = (code: StbErrorCode, message: string, url: string, cause?: unknown): CodedError<StbErrorCode> =>
	new CodedError<StbErrorCode>(code, {message, cause, details: {url}, retryable: code !== 'STB_REPAIR_CHANGED'});

const checkHead = (response: Response, {url, entityTag}: FetchRangeOptions): void => {
	const {status, headers} = response;
	if (status === 404 || status === 410) {
		throw failure('STB_REPAIR_NOT_FOUND', 'The repair server does not have this object (yet).', url);
	}
	if (status === 416) {
		throw failure(
			'STB_REPAIR_RANGE_MISMATCH',
			'The repair server’s object has no such range; it is another version.',
			url,
		);
	}
	if (status === 412) {
		throw failure('STB_REPAIR_CHANGED', 'The repair server has another version of this object.', url);
	}
	if (status !== 200 && status !== 206) {
		throw failure('STB_REPAIR_SERVER_FAILED', `The repair server answered ${status}.`, url);
	}
	if ((headers.get('content-encoding') ?? 'identity') !== 'identity') {
		throw failure(
			'STB_REPAIR_RESPONSE_INVALID',
			'The repair server compressed what it was asked to leave as it is.',
			url,
		);
	}
	const tag = headers.get('etag');
	if (entityTag !== undefined && tag !== null && !tag.startsWith('W/') && tag !== entityTag) {
		throw failure('STB_REPAIR_CHANGED', 'The repair server has another version of this object.', url);
	}
};

const readBody = async (response: Response, options: FetchRangeOptions): Promise<{readonly bytes: number}> => {
	const boundary = response.status === 206 ? multipartBoundary(response.headers.get('content-type')) : undefined;
	if (boundary !== undefined) {
		return await readMultipart(response, boundary, options);
	}
	const {url, sizeBytes, bytesMax} = options;
	let [offset, end] = [0, sizeBytes];
	if (response.status === 206) {
		const range = parseContentRange(response.headers.get('content-range'));
		checkRange(range, options);
		[offset, end] = [range.offset, range.offset + range.length];
	}
	let [bytes, pending, pendingBytes]: [number, Uint8Array[], number] = [0, [], 0];
	const flush = async (): Promise<void> => {
		const piece = pending.length === 1 ? pending[0] : Buffer.concat(pending);
		[pending, pendingBytes] = [[], 0];
		if (piece !== undefined && piece.length > 0) {
			await options.onBytes(offset, piece);
			offset += piece.length;
		}
	};
	for await (const chunk of response.body ?? []) {
		bytes += chunk.length;
		if (bytes > bytesMax + overheadBytesMax || (end !== undefined && offset + pendingBytes + chunk.length > end)) {
			throw failure('STB_REPAIR_RESPONSE_INVALID', 'The repair server sent more than the object has.', url);
		}
		pending.push(chunk);
		pendingBytes += chunk.length;
		if (pendingBytes >= pieceBytesMin) {
			await flush();
		}
	}
	await flush();
	if (end !== undefined && offset < end) {
		throw failure('STB_REPAIR_INCOMPLETE', 'The repair server’s answer ended early.', url);
	}
	return {bytes};
};

function checkRange(
	range: ReturnType<typeof parseContentRange>,
	{url, sizeBytes}: FetchRangeOptions,
): asserts range is NonNullable<ReturnType<typeof parseContentRange>> {
	const outside =
		range === undefined ||
		(sizeBytes !== undefined &&
			(range.offset + range.length > sizeBytes || (range.totalBytes !== undefined && range.totalBytes !== sizeBytes)));
	if (outside) {
		throw failure('STB_REPAIR_RANGE_MISMATCH', 'The repair server sent a range that the object does not have.', url);
	}
}

const readMultipart = async (
	response: Response,
	boundary: string,
	options: FetchRangeOptions,
): Promise<{readonly bytes: number}> => {
	const chunks: Uint8Array[] = [];
	let bytes = 0;
	for await (const chunk of response.body ?? []) {
		bytes += chunk.length;
		if (bytes > Math.min(options.bytesMax, multipartBytesMax) + overheadBytesMax) {
			throw failure('STB_REPAIR_RESPONSE_INVALID', 'The repair server sent more than was asked for.', options.url);
		}
		chunks.push(chunk);
	}
	for (const part of parseMultipartRanges(Buffer.concat(chunks), boundary)) {
		checkRange({...part, length: part.bytes.length}, options);
		await options.onBytes(part.offset, part.bytes);
	}
	return {bytes};
};
