import type {IncomingMessage} from 'node:http';
import {sleep} from '#appliance/time/sleep.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import type {AuthorityErrorCode} from '#ota/fleet/authority/authority-error.ts';

/** A body that fits one packet or a few takes no longer than this. */
const bodyTimeoutMs = 10_000;

/** Reads a body of bounded size in bounded time; the connection of one that is too large or too slow is closed. */
export const readSmallBody = async (
	request: IncomingMessage,
	{bytesMax, timeoutMs = bodyTimeoutMs}: {readonly bytesMax: number; readonly timeoutMs?: number},
): Promise<Buffer> => {
	const refuse = (status: 400 | 408 | 413, message: string, cause?: unknown): Error =>
		apiError<AuthorityErrorCode>('OTA_EST_BODY', {status, message, cause});
	const tooLarge = (): Error => refuse(413, `The body has more than ${bytesMax} bytes.`);
	if (Number(request.headers['content-length'] ?? 0) > bytesMax) {
		throw tooLarge();
	}
	const timer = new AbortController();
	const read = async (): Promise<Buffer> => {
		const chunks: Buffer[] = [];
		let bytes = 0;
		for await (const chunk of request.iterator({destroyOnReturn: false}) as AsyncIterable<Buffer>) {
			bytes += chunk.length;
			if (bytes > bytesMax) {
				throw tooLarge();
			}
			chunks.push(chunk);
		}
		return Buffer.concat(chunks);
	};
	const tooSlow = async (): Promise<never> => {
		await sleep(timeoutMs, {signal: timer.signal});
		throw refuse(408, `The body did not come within ${timeoutMs} ms.`);
	};
	const slow = tooSlow();
	slow.catch(() => undefined);
	try {
		return await Promise.race([read(), slow]);
	} finally {
		timer.abort();
	}
};
