import {randomInt} from 'node:crypto';
import {once} from 'node:events';
import {createServer} from 'node:net';
import {hasCode} from '#appliance/error/coded-error.ts';

/** Below the range from which the kernel gives ports to whoever asks for any. */
const [portMin, portMax] = [10_000, 20_000];

/** A TCP port of loopback that was free a moment ago, for a server whose address others must know before it starts. */
export const freePort = async (): Promise<number> => {
	for (;;) {
		const port = randomInt(portMin, portMax);
		const server = createServer();
		try {
			server.listen({host: '127.0.0.1', port, exclusive: true});
			await once(server, 'listening');
			server.close();
			await once(server, 'close');
			return port;
		} catch (error) {
			if (!hasCode(error, 'EADDRINUSE')) {
				throw error;
			}
		}
	}
};
