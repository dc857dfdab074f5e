import {PassThrough, type Readable} from 'node:stream';
import type {Changes} from '#ota/fleet/fleet-part.ts';

/** A page that reads so slowly is told that everything changed, and then nothing until it reads again. */
const backlogBytesMax = 64 * 1024;
/** So that proxies keep the connection, and that a page which went away is noticed. */
const keepAliveIntervalMs = 15_000;

/** Server-sent events (HTML Living Standard section 9.2), one message per change, until the request ends. */
export const liveStream = (changes: Changes, {signal}: {readonly signal: AbortSignal}): Readable => {
	const stream = new PassThrough();
	stream.write('retry: 2000\n\n');
	const write = (text: string): void => {
		if (stream.writableLength < backlogBytesMax && !stream.writableEnded) {
			stream.write(text);
		}
	};
	const unsubscribe = changes.subscribe((change) => write(`data: ${JSON.stringify(change)}\n\n`));
	const keepAlive = setInterval(() => write(': still here\n\n'), keepAliveIntervalMs);
	const end = (): void => {
		clearInterval(keepAlive);
		unsubscribe();
		stream.end();
	};
	stream.once('close', end);
	signal.addEventListener('abort', end, {once: true});
	return stream;
};
