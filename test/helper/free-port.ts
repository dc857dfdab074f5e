import {once} from 'node:events';
import type {AddressInfo} from 'node:net';
import {createServer} from 'node:net';

/** A TCP port of loopback that was free a moment ago, for a server whose address others must know before it starts. */
export const freePort = async (): Promise<number> => {
	const server = createServer().listen({host: '127.0.0.1', port: 0});
	await once(server, 'listening');
	const {port} = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
};
