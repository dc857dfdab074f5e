import {entityTagOf} from '#appliance/contract/catalogue-schema.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {ByteRange} from '#appliance/http/byte-ranges.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import type {ArrivingObject} from '#stb/serve/arrivals.ts';
import type {Origin} from '#stb/serve/origin.ts';

/** Answers of the origin that brought something and broke off, for one range of one player. */
const resumptionsMax = 3;
const readBytesMax = 256 * 1024;

type Reading = ByteRange & {readonly signal: AbortSignal};

type Parts = {readonly cache: Pick<ObjectCache, 'open'>; readonly origin: Origin; readonly logger: Logger};

/**
 * Reads an arriving object on to its end when its transmission is given up in the middle: the very same bytes, by their
 * digest, from the cache or else from the terrestrial origin. The player sees one answer that pauses for a moment.
 */
export const readOn = async function* readOn(
	arriving: ArrivingObject,
	{start, end, signal}: Reading,
	parts: Parts,
): AsyncGenerator<Buffer, void, void> {
	let at = start;
	try {
		for await (const chunk of arriving.read({start, end, signal})) {
			at += chunk.length;
			yield chunk;
		}
		return;
	} catch (error) {
		signal.throwIfAborted();
		if (arriving.sha256 === undefined) {
			throw error;
		}
		parts.logger.debug({uri: arriving.uri, at, reason: errorMessage(error)}, 'an arrival broke off under its reader');
	}
	const {uri, sha256, sizeBytes} = arriving;
	for await (const chunk of readHeld({uri, sha256}, {start: at, end, signal}, parts)) {
		at += chunk.length;
		yield chunk;
	}
	for (let resumptions = 0; at <= end; resumptions++) {
		const from = at;
		try {
			const range = {uri, start: at, end, entityTag: entityTagOf(sha256), sizeBytes, signal};
			for await (const chunk of parts.origin.fetchRange(range)) {
				at += chunk.length;
				yield chunk;
			}
		} catch (error) {
			signal.throwIfAborted();
			if (at === from || resumptions === resumptionsMax) {
				throw error;
			}
		}
	}
};

/** Nothing when the cache does not hold these bytes. */
const readHeld = async function* readHeld(
	{uri, sha256}: {readonly uri: string; readonly sha256: string},
	{start, end, signal}: Reading,
	{cache}: Parts,
): AsyncGenerator<Buffer, void, void> {
	const opened = await cache.open(uri);
	if (opened === undefined) {
		return;
	}
	await using handle = opened.handle;
	if (opened.object.sha256 !== sha256) {
		return;
	}
	for (let at = start; at <= end; ) {
		signal.throwIfAborted();
		const wanted = Math.min(readBytesMax, end + 1 - at);
		const {buffer, bytesRead} = await handle.read(Buffer.allocUnsafeSlow(wanted), 0, wanted, at);
		if (bytesRead === 0) {
			return;
		}
		at += bytesRead;
		yield buffer.subarray(0, bytesRead);
	}
};
