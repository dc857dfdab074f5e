import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import {createServer} from 'node:net';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {DemoErrorCode} from '#demo/error-code.ts';

const triesMax = 50;

/** The wanted TCP port of loopback if it is free, because people remember it; otherwise any. */
export const freeTcpPort = async (wantedPort: number): Promise<number> => {
	for (const port of [wantedPort, 0]) {
		const server = createServer();
		try {
			server.listen({host: '127.0.0.1', port, exclusive: true});
			await once(server, 'listening');
			const address = server.address();
			if (address !== null && typeof address === 'object') {
				return address.port;
			}
		} catch {
			// Held by another program.
		} finally {
			server.close();
		}
	}
	throw noPort();
};

/** Two UDP ports in a row on which nobody listens: one that is advertised, and the next that the headend sends to. */
export const freeUdpPortPair = async (wantedPort: number): Promise<number> => {
	for (let index = 0; index < triesMax; index += 1) {
		const port = await tryUdpPort(index === 0 ? wantedPort : 0);
		if (port !== undefined && port < 65_535 && (await tryUdpPort(port + 1)) !== undefined) {
			return port;
		}
	}
	throw noPort();
};

const tryUdpPort = async (port: number): Promise<number | undefined> => {
	const socket = createSocket('udp4');
	try {
		socket.bind(port, '0.0.0.0');
		await once(socket, 'listening');
		return socket.address().port;
	} catch {
		return undefined;
	} finally {
		socket.close();
	}
};

const noPort = (): CodedError =>
	new CodedError<DemoErrorCode>('DEMO_BOX_START_FAILED', {message: 'This machine has no free port on loopback.'});
