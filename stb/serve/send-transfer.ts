import {once} from 'node:events';
import type {IncomingMessage} from 'node:http';
import type {Context} from 'koa';
import type {ObjectUri} from '#appliance/contract/object-uri.ts';
import {hasCode} from '#appliance/error/coded-error.ts';
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

/** Answers a miss from the one shared fetch. Throws before anything is sent, so that a stale copy can step in. */
export const sendTransfer = async (
	context: Context,
	uri: ObjectUri,
	{origin, plane, clock}: SendTransferOptions,
): Promise<void> => {
	const transfer = origin.fetch(uri);
	using stack = new DisposableStack();
	const held = stack.use(origin.hold(transfer));
	let facts: TransferFacts;
	try {
		facts = await untilClosed(context, transfer.facts);
	} catch (error) {
		if (hasCode(error, 'STB_CACHE_FULL')) {
			await passThrough(context, uri, origin);
			return;
		}
		throw error;
	}
	const {sha256, sizeBytes, entityTag} = facts;
	let handedOver = false;
	sendRepresentation(context, {
		sizeBytes,
		contentType: facts.contentType,
		...(sha256 === undefined ? {entityTag} : entityTagsFor(plane, {sha256, sizeBytes})),
		extraHeaders: servingHeaders('terrestrial', facts, clock.nowMs()),
		body: (parts) => {
			handedOver = true;
			return rangeBody(parts, {
				read: (range) => readBehind(transfer, facts, {...range, origin}),
				held,
			});
		},
	});
	if (handedOver) {
		// From here on the body's end lets go of the transfer.
		stack.move();
	}
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
	if (start - transfer.receivedBytes() > origin.limits.jumpBytes && facts.entityTag !== undefined) {
		try {
			const response = await origin.fetchRange({uri: transfer.uri, start, end, entityTag: facts.entityTag, signal});
			for await (const chunk of response as AsyncIterable<Buffer>) {
				const wanted = chunk.subarray(0, end + 1 - at);
				at += wanted.length;
				yield wanted;
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
