import type {IncomingMessage} from 'node:http';

/** After a refusal so much more is read and thrown away, so that the client finds its answer; then the line is cut. */
const drainedBytesMax = 64 * 2 ** 20;

/** A sender that is silent for so long holds one of few places; it may come back and go on. */
const bodyIdleMs = 60_000;

/**
 * The body of a request. Node would destroy the connection when its reader stops in the middle, and the client would
 * never learn why it was refused.
 */
export async function* requestBody(
	request: IncomingMessage,
	{idleMs = bodyIdleMs}: {readonly idleMs?: number} = {},
): AsyncGenerator<Buffer, void, undefined> {
	request.setTimeout(idleMs, () => request.destroy());
	try {
		for await (const chunk of request.iterator({destroyOnReturn: false}) as AsyncIterable<Buffer>) {
			yield chunk;
		}
	} finally {
		request.setTimeout(0);
		if (!request.readableEnded && !request.destroyed) {
			let drainedBytes = 0;
			request.on('data', (chunk: Buffer) => {
				drainedBytes += chunk.length;
				if (drainedBytes > drainedBytesMax) {
					request.destroy();
				}
			});
			request.resume();
		}
	}
}
