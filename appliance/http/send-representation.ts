import {randomUUID} from 'node:crypto';
import type {Socket} from 'node:net';
import type {Readable} from 'node:stream';
import type {Context} from 'koa';
import {CodedError} from '#appliance/error/coded-error.ts';
import {type ByteRange, contentRangeOf, lengthOfRange, parseByteRanges} from '#appliance/http/byte-ranges.ts';
import {corsHeaders} from '#appliance/http/cors.ts';
import {evaluatePreconditions, ifRangeHolds, type Validators} from '#appliance/http/preconditions.ts';

/** A body is bytes written here and ranges read from the representation, one after the other. */
export type BodyPart = Buffer | ByteRange;

export type Representation = Validators & {
	readonly sizeBytes: number;
	readonly contentType: string;
	readonly extraHeaders?: Readonly<Record<string, string>> | undefined;
	/** Called at most once, and only when bytes are sent; the stream's end or destruction must free what it holds. */
	readonly body: (parts: readonly BodyPart[]) => Readable;
};

/**
 * Answers a GET or HEAD for a representation whose size is known: preconditions, one or several ranges (RFC 9110
 * sections 13 and 14), CORS and the exact length. Throws coded errors for what createApp turns into problem+json.
 */
export const sendRepresentation = (context: Context, representation: Representation): void => {
	const {sizeBytes, contentType, entityTag, lastModifiedMs, extraHeaders = {}} = representation;
	requireReading(context);
	context.set(corsHeaders);
	context.set('X-Content-Type-Options', 'nosniff');
	context.set('Accept-Ranges', 'bytes');
	context.set(extraHeaders);
	if (entityTag !== undefined) {
		context.set('ETag', entityTag);
	}
	if (lastModifiedMs !== undefined) {
		context.set('Last-Modified', new Date(lastModifiedMs).toUTCString());
	}
	const precondition = evaluatePreconditions(context.headers, representation);
	if (precondition === 'failed') {
		throw new CodedError('HTTP_PRECONDITION_FAILED', {message: 'This object is not the version that was asked for.'});
	}
	if (precondition === 'not-modified') {
		context.status = 304;
		return;
	}
	// Only GET has ranges (RFC 9110 section 14.2); a HEAD tells of the whole.
	const wantsRange = context.method === 'GET' && ifRangeHolds(context.headers, representation, Date.now());
	const answer = parseByteRanges(wantsRange ? context.get('Range') || undefined : undefined, sizeBytes);
	context.set('Content-Type', contentType);
	if (answer.kind === 'unsatisfiable') {
		context.set('Content-Range', `bytes */${sizeBytes}`);
		throw new CodedError('HTTP_RANGE_NOT_SATISFIABLE', {
			message: `This object has ${sizeBytes} bytes; the range asked for lies outside of it.`,
			details: {sizeBytes},
		});
	}
	const [first, ...more] = answer.kind === 'ranges' ? answer.ranges : [];
	if (first === undefined) {
		context.status = 200;
		writeBody(context, representation, sizeBytes === 0 ? [] : [{start: 0, end: sizeBytes - 1}], sizeBytes);
		return;
	}
	context.status = 206;
	if (more.length === 0) {
		context.set('Content-Range', contentRangeOf(first, sizeBytes));
		writeBody(context, representation, [first], lengthOfRange(first));
		return;
	}
	const boundary = randomUUID();
	const parts = multipartOf([first, ...more], {boundary, contentType, sizeBytes});
	context.set('Content-Type', `multipart/byteranges; boundary=${boundary}`);
	writeBody(context, representation, parts, lengthOfParts(parts));
};

const requireReading = (context: Context): void => {
	if (context.method !== 'GET' && context.method !== 'HEAD') {
		context.set('Allow', 'GET, HEAD, OPTIONS');
		throw new CodedError('HTTP_METHOD_NOT_ALLOWED', {
			message: 'This can only be read: use GET or HEAD.',
			details: {status: 405},
		});
	}
};

const writeBody = (
	context: Context,
	representation: Representation,
	parts: readonly BodyPart[],
	lengthBytes: number,
): void => {
	if (context.method === 'GET' && lengthBytes > 0) {
		const body = representation.body(parts);
		destroyWithSocket(body, context.req.socket);
		context.body = body;
	} else if (context.method === 'GET') {
		context.body = Buffer.alloc(0);
	}
	// Koa drops the length when a stream becomes the body, so it is told afterwards.
	context.length = lengthBytes;
};

/** Requests that a client may have sent ahead on one connection before Node warns of a leak. */
const pipelinedMax = 1000;

/**
 * Koa destroys a body when its response closes. A pipelined response that never got its turn has no socket and never
 * closes, so that the connection's end must do it.
 */
const destroyWithSocket = (body: Readable, socket: Socket): void => {
	const destroy = () => body.destroy();
	socket.setMaxListeners(pipelinedMax);
	socket.once('close', destroy);
	body.once('close', () => socket.off('close', destroy));
	if (socket.destroyed) {
		destroy();
	}
};

const multipartOf = (
	ranges: readonly ByteRange[],
	facts: {readonly boundary: string; readonly contentType: string; readonly sizeBytes: number},
): readonly BodyPart[] => {
	const {boundary, contentType, sizeBytes} = facts;
	const parts: BodyPart[] = [];
	for (const range of ranges) {
		const lead = parts.length === 0 ? '' : '\r\n';
		parts.push(
			Buffer.from(
				`${lead}--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Range: ${contentRangeOf(range, sizeBytes)}\r\n\r\n`,
			),
			range,
		);
	}
	parts.push(Buffer.from(`\r\n--${boundary}--\r\n`));
	return parts;
};

const lengthOfParts = (parts: readonly BodyPart[]): number => {
	let lengthBytes = 0;
	for (const part of parts) {
		lengthBytes += Buffer.isBuffer(part) ? part.length : lengthOfRange(part);
	}
	return lengthBytes;
};
