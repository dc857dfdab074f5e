import {once} from 'node:events';
import {connect, createServer, type Socket} from 'node:net';
import type {ExecutionContext} from 'ava';
import {freePort} from '#test/helper/free-port.ts';

export type ClosedDoor = {
	readonly port: number;
	/** From now on the port leads to this one. */
	readonly open: (targetPort: number) => Promise<void>;
};

/** A port of loopback that refuses every connection until it is opened. */
export const withClosedDoor = async (t: ExecutionContext): Promise<ClosedDoor> => {
	const port = await freePort();
	const sockets = new Set<Socket>();
	return {
		port,
		open: async (targetPort) => {
			const server = createServer((socket) => {
				const onward = connect(targetPort, '127.0.0.1');
				for (const [one, other] of [
					[socket, onward],
					[onward, socket],
				] as const) {
					sockets.add(one);
					one.on('error', () => other.destroy());
					one.on('close', () => sockets.delete(one));
					one.pipe(other);
				}
			});
			server.listen(port, '127.0.0.1');
			await once(server, 'listening');
			t.teardown(() => {
				server.close();
				for (const socket of sockets) {
					socket.destroy();
				}
			});
		},
	};
};
