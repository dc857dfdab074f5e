import {Readable} from 'node:stream';
import type {Context, Middleware} from 'koa';
import {type ObjectUri, objectUriOfPath} from '#appliance/contract/object-uri.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import {answerPreflight, corsHeaders} from '#appliance/http/cors.ts';
import {sendFile} from '#appliance/http/send-file.ts';
import {sendRepresentation} from '#appliance/http/send-representation.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {type CachedObject, isFresh} from '#stb/cache/cached-object.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import type {Arrivals, ArrivingObject} from '#stb/serve/arrivals.ts';
import {type DataPlane, entityTagsFor} from '#stb/serve/entity-tag.ts';
import type {Origin} from '#stb/serve/origin.ts';
import {rangeBody} from '#stb/serve/range-body.ts';
import {readOn} from '#stb/serve/read-on.ts';
import {type ServedFrom, servingHeaders} from '#stb/serve/response-headers.ts';
import {sendHeldPart, wantsOnlyCached} from '#stb/serve/send-if-cached.ts';
import {sendTransfer} from '#stb/serve/send-transfer.ts';

export type ObjectHandlerOptions = {
	readonly cache: ObjectCache;
	readonly arrivals: Arrivals;
	readonly origin: Origin;
	readonly plane: DataPlane;
	readonly clock: Clock;
	readonly logger: Logger;
	/** Told of every object that a player was given. */
	readonly onServed: (uri: ObjectUri, from: ServedFrom) => void;
};

/**
 * `GET /<path>`: from the cache; else as it arrives; else from the terrestrial origin. A stale copy is what a player gets
 * when nobody else answers (RFC 5861 stale-if-error): an old manifest plays on, a 504 does not.
 */
export const objectHandler =
	(options: ObjectHandlerOptions): Middleware =>
	async (context) => {
		if (context.method === 'OPTIONS') {
			answerPreflight(context);
			return;
		}
		context.set(corsHeaders);
		if (context.method !== 'GET' && context.method !== 'HEAD') {
			context.set('Allow', 'GET, HEAD, OPTIONS');
			throw new CodedError('HTTP_METHOD_NOT_ALLOWED', {
				message: 'Objects can only be read: use GET or HEAD.',
				details: {status: 405},
			});
		}
		const uri = objectUriOfPath(context.path);
		const from = await answer(context, uri, options);
		options.onServed(uri, from);
	};

const answer = async (context: Context, uri: ObjectUri, options: ObjectHandlerOptions): Promise<ServedFrom> => {
	const {cache, arrivals, origin, clock} = options;
	const cached = cache.peek(uri);
	if (cached !== undefined && isFresh(cached, clock.nowMs()) && (await sendCached(context, cached, 'cache', options))) {
		return 'cache';
	}
	const arriving = arrivals.find(uri);
	if (wantsOnlyCached(context)) {
		sendHeldPart(context, arriving, options);
		return 'arriving';
	}
	if (arriving !== undefined) {
		sendArriving(context, arriving, options);
		return 'arriving';
	}
	if (!origin.covers(uri) && cached === undefined) {
		throw new CodedError('HTTP_NOT_FOUND', {message: 'There is no such object.'});
	}
	try {
		const sent = await sendTransfer(context, uri, options);
		if (sent === 'unchanged') {
			return await sendUnchanged(context, uri, options);
		}
		return 'terrestrial';
	} catch (error) {
		const ours = context.res.headersSent || hasCode(error, 'HTTP_RANGE_NOT_SATISFIABLE', 'HTTP_PRECONDITION_FAILED');
		if (ours || cached === undefined || !(await sendCached(context, cached, 'stale', options))) {
			throw error;
		}
		return 'stale';
	}
};

/** The copy that lies here still holds, by the origin's word. */
const sendUnchanged = async (context: Context, uri: ObjectUri, options: ObjectHandlerOptions): Promise<ServedFrom> => {
	const cached = options.cache.peek(uri);
	if (cached === undefined || !(await sendCached(context, cached, 'cache', options))) {
		throw new CodedError('HTTP_UNAVAILABLE', {message: 'The object has just left this box; ask again.'});
	}
	return 'cache';
};

/** False when the object was evicted between the look and the opening. */
const sendCached = async (
	context: Context,
	{uri}: CachedObject,
	from: ServedFrom,
	{cache, plane, clock}: ObjectHandlerOptions,
): Promise<boolean> => {
	const opened = await cache.open(uri);
	if (opened === undefined) {
		return false;
	}
	const {object, handle} = opened;
	await sendFile(context, {
		source: handle,
		sizeBytes: object.sizeBytes,
		contentType: object.contentType,
		...entityTagsFor(plane, object),
		extraHeaders: servingHeaders(from, object, clock.nowMs()),
	});
	return true;
};

const sendArriving = (context: Context, arriving: ArrivingObject, options: ObjectHandlerOptions): void => {
	const {plane, clock} = options;
	const {sha256, sizeBytes, contentType} = arriving;
	sendRepresentation(context, {
		sizeBytes,
		contentType,
		...(sha256 === undefined ? {} : entityTagsFor(plane, {sha256, sizeBytes})),
		extraHeaders: servingHeaders('arriving', {freshUntilMs: clock.nowMs()}, clock.nowMs()),
		body: (parts) => rangeBody(parts, {read: (range) => readOn(arriving, range, options)}),
	});
	if (context.body instanceof Readable) {
		// The player learns the size now; the first byte may take as long as the satellite does.
		context.flushHeaders();
	}
};
