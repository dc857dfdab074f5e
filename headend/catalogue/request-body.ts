import type {IncomingMessage} from 'node:http';

/** After a refusal so much more is read and thrown away, so that the client finds its answer; then the line is cut. */
const drainedBytesMax = 64 * 2 ** 20;

/**
 * The body of a request. Node would destroy the connection when its reader stops in the middle, and the client would
 * never learn why it was refused.
 */
export async function* requestBody(request: IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
	try {
		for await (const chunk of request.iterator({destroyOnReturn: false}) as AsyncIterable<Buffer>) {
			yield chunk;
		}
	} finally {
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
