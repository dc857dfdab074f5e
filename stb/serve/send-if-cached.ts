import type {Context} from 'koa';
import {CodedError} from '#appliance/error/coded-error.ts';
import {parseByteRanges} from '#appliance/http/byte-ranges.ts';
import {sendRepresentation} from '#appliance/http/send-representation.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {ArrivingObject} from '#stb/serve/arrivals.ts';
import {type DataPlane, entityTagsFor} from '#stb/serve/entity-tag.ts';
import {rangeBody} from '#stb/serve/range-body.ts';
import {servingHeaders} from '#stb/serve/response-headers.ts';

/** `Cache-Control: only-if-cached` (RFC 9111 section 5.2.1.7): nobody is asked, nothing is waited for. */
export const wantsOnlyCached = (context: Context): boolean =>
	context
		.get('Cache-Control')
		.toLowerCase()
		.split(',')
		.some((directive) => directive.trim() === 'only-if-cached');

/**
 * What of an arriving object is on the disk now: of the range asked for the first run that is there, which RFC 9110
 * section 15.3.7 lets a server choose. Without any, or without a range, 504.
 */
export const sendHeldPart = (
	context: Context,
	arriving: ArrivingObject | undefined,
	{plane, clock}: {readonly plane: DataPlane; readonly clock: Clock},
): void => {
	const held = arriving === undefined ? undefined : heldPart(context, arriving);
	if (arriving === undefined || held === undefined) {
		throw new CodedError('HTTP_NOT_CACHED', {message: 'This is not on the box, or not yet.', details: {status: 504}});
	}
	const {sha256, sizeBytes, contentType} = arriving;
	context.req.headers.range = `bytes=${held.start}-${held.end}`;
	sendRepresentation(context, {
		sizeBytes,
		contentType,
		...(sha256 === undefined ? {} : entityTagsFor(plane, {sha256, sizeBytes})),
		extraHeaders: servingHeaders('arriving', {freshUntilMs: clock.nowMs()}, clock.nowMs()),
		body: (parts) =>
			rangeBody(parts, {
				read: ({start, end}) => arriving.read({start, end, signal: AbortSignal.timeout(readTimeoutMs)}),
			}),
	});
};

const readTimeoutMs = 60_000;

const heldPart = (
	context: Context,
	arriving: ArrivingObject,
): {readonly start: number; readonly end: number} | undefined => {
	const asked = parseByteRanges(context.get('Range') || undefined, arriving.sizeBytes);
	const [range] = asked.kind === 'ranges' ? asked.ranges : [];
	return range === undefined ? undefined : arriving.heldRange?.(range);
};
