import type {Socket} from 'node:net';

/** So many connections of one address at a time; one more is closed before its handshake costs anything. */
export const limitConnections = (
	server: {on: (event: 'connection', listener: (socket: Socket) => void) => unknown},
	perAddressMax: number,
): void => {
	const counts = new Map<string, number>();
	server.on('connection', (socket) => {
		const address = socket.remoteAddress ?? '';
		const count = (counts.get(address) ?? 0) + 1;
		counts.set(address, count);
		socket.once('close', () => {
			const left = (counts.get(address) ?? 1) - 1;
			if (left === 0) {
				counts.delete(address);
			} else {
				counts.set(address, left);
			}
		});
		if (count > perAddressMax) {
			socket.destroy();
		}
	});
};
