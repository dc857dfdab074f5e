import {once} from 'node:events';
import type {IncomingMessage} from 'node:http';
import type {Context} from 'koa';
import type {ObjectUri} from '#appliance/contract/object-uri.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {ByteRange} from '#appliance/http/byte-ranges.ts';
import {sendRepresentation} from '#appliance/http/send-representation.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {type DataPlane, entityTagsFor} from '#stb/serve/entity-tag.ts';
import type {Origin} from '#stb/serve/origin.ts';
import {rangeBody} from '#stb/serve/range-body.ts';
import {servingHeaders} from '#stb/serve/response-headers.ts';
import type {Transfer, TransferFacts} from '#stb/serve/transfer.ts';

type SendTransferOptions = {readonly origin: Origin; readonly plane: DataPlane; readonly clock: Clock};

/** What of an origin's answer a player sees when it is passed through. */
const passedHeaders = ['content-type', 'content-length', 'content-range', 'etag', 'accept-ranges'] as const;

/** Fetches that ended between the asking and the reading; each time the object is asked for anew. */
const attemptsMax = 3;

/**
 * Answers a miss from the one shared fetch. Throws before anything is sent, so that a stale copy can step in; `unchanged`
 * leaves the answer to the copy in the cache, which the origin says still holds.
 */
export const sendTransfer = async (
	context: Context,
	uri: ObjectUri,
	options: SendTransferOptions,
): Promise<'sent' | 'unchanged'> => {
	for (let attempt = 1; attempt <= attemptsMax; attempt++) {
		const result = await sendOnce(context, uri, options);
		if (result !== 'ended') {
			return result;
		}
	}
	throw new CodedError('HTTP_UNAVAILABLE', {message: 'This object changes faster than it is read.', retryable: true});
};

const sendOnce = async (
	context: Context,
	uri: ObjectUri,
	{origin, plane, clock}: SendTransferOptions,
): Promise<'sent' | 'unchanged' | 'ended'> => {
	const transfer = origin.fetch(uri);
	using stack = new DisposableStack();
	stack.use(origin.hold(transfer));
	let facts: TransferFacts | 'unchanged';
	try {
		facts = await untilClosed(context, transfer.facts);
	} catch (error) {
		if (hasCode(error, 'STB_CACHE_FULL')) {
			await passThrough(context, uri, origin);
			return 'sent';
		}
		throw error;
	}
	if (facts === 'unchanged') {
		return 'unchanged';
	}
	const release = transfer.retain();
	if (release === undefined) {
		// It ended and its file is closed; by now it is in the cache, stale already, or was not to be kept.
		await untilClosed(context, transfer.done);
		return 'ended';
	}
	stack.defer(() => void release().catch(() => undefined));
	const known = facts;
	const {sha256, sizeBytes, entityTag} = known;
	sendRepresentation(context, {
		sizeBytes,
		contentType: known.contentType,
		...(sha256 === undefined ? {entityTag} : entityTagsFor(plane, {sha256, sizeBytes})),
		extraHeaders: servingHeaders('terrestrial', known, clock.nowMs()),
		body: (parts) => {
			// From here on the body's end lets go of the transfer.
			const held = stack.move();
			return rangeBody(parts, {read: (range) => readBehind(transfer, known, {...range, origin}), held});
		},
	});
	return 'sent';
};

/** A player that leaves while nothing is known yet stops waiting; the fetch goes on for the others. */
const untilClosed = async <Result>(context: Context, promise: Promise<Result>): Promise<Result> => {
	const left = new AbortController();
	try {
		const gone = once(context.res, 'close', {signal: left.signal}).then(() => {
			throw Object.assign(new Error('The player left.'), {code: 'ABORT_ERR'});
		});
		gone.catch(() => undefined);
		return await Promise.race([promise, gone]);
	} finally {
		left.abort();
	}
};

/**
 * A player that starts far into a large file (the index at the end of an MP4, a seek) does not wait for what lies before:
 * its range is fetched by itself beside the whole. If that fails it waits like the others.
 */
const readBehind = async function* readBehind(
	transfer: Transfer,
	facts: TransferFacts,
	{start, end, signal, origin}: ByteRange & {readonly signal: AbortSignal; readonly origin: Origin},
): AsyncGenerator<Buffer, void, void> {
	let at = start;
	const {entityTag, sizeBytes} = facts;
	if (start - transfer.receivedBytes() > origin.limits.jumpBytes && entityTag !== undefined) {
		try {
			for await (const chunk of origin.fetchRange({uri: transfer.uri, start, end, entityTag, sizeBytes, signal})) {
				at += chunk.length;
				yield chunk;
			}
		} catch {
			// The shared fetch below has the same bytes, later.
			signal.throwIfAborted();
		}
	}
	if (at <= end) {
		yield* transfer.read({start: at, end, signal});
	}
};

const passThrough = async (context: Context, uri: ObjectUri, origin: Origin): Promise<void> => {
	const left = new AbortController();
	context.res.once('close', () => left.abort());
	const headers: Record<string, string> = {};
	for (const name of ['range', 'if-range'] as const) {
		const value = context.get(name);
		if (value !== '') {
			headers[name] = value;
		}
	}
	const response: IncomingMessage = await origin.pass({uri, headers, signal: left.signal});
	context.status = response.statusCode ?? 502;
	if (context.method === 'GET') {
		context.body = response;
	} else {
		response.destroy();
	}
	for (const name of passedHeaders) {
		const value = response.headers[name];
		if (value !== undefined) {
			context.set(name, value);
		}
	}
	context.set('Streamverse-Source', 'terrestrial');
};
