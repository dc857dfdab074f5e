import {CodedError} from '#appliance/error/coded-error.ts';
import {contentRangeOf} from '#appliance/http/byte-ranges.ts';
import {askOrigin, asOriginError, type OriginAccess} from '#stb/serve/ask-origin.ts';

export type OriginRange = {
	readonly uri: string;
	readonly start: number;
	/** Inclusive. */
	readonly end: number;
	/** Of the very bytes that are wanted; no other answer is taken. */
	readonly entityTag: string;
	readonly sizeBytes: number;
	readonly signal: AbortSignal;
};

/** One range of an object whose version is known, without keeping it. */
export const fetchOriginRange = async function* fetchOriginRange(
	access: OriginAccess,
	{uri, start, end, entityTag, sizeBytes, signal}: OriginRange,
): AsyncGenerator<Buffer, void, void> {
	if (!uri.startsWith(access.objectBaseUri)) {
		throw new CodedError('HTTP_NOT_FOUND', {message: 'No terrestrial origin has objects of this name.'});
	}
	const {response} = await askOrigin(access, {
		uri,
		headers: {range: `bytes=${start}-${end}`, 'if-range': entityTag},
		accept: ({statusCode, headers}) =>
			statusCode === 206 &&
			headers['content-range'] === contentRangeOf({start, end}, sizeBytes) &&
			headers.etag === entityTag,
		signal,
	});
	let leftBytes = end - start + 1;
	for await (const chunk of response as AsyncIterable<Buffer>) {
		const wanted = chunk.subarray(0, leftBytes);
		access.stats.bytes += wanted.length;
		leftBytes -= wanted.length;
		yield wanted;
	}
	if (leftBytes > 0) {
		throw asOriginError(new Error('The answer ended early.'));
	}
};
