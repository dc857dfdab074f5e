import {once} from 'node:events';
import {createServer, type RequestListener, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {listenFailed} from '#appliance/http/listen-failed.ts';

/** A client that sends its headers slower than this is dropped (slow-loris). */
const headersTimeoutMs = 10_000;
/** How often Node looks for those that are too slow; its default of 30 s would let them stay three times as long. */
const timeoutCheckIntervalMs = 1000;
const keepAliveTimeoutMs = 30_000;
const headerBytesMax = 16 * 1024;

export type HttpListener = AsyncDisposable & {
	readonly server: Server;
	/** `http://host:port`, without a slash at the end. */
	readonly url: string;
	readonly port: number;
};

/** Listens (port 0 = any free port) and, when disposed, stops accepting and ends what is still open. */
export const listen = async (options: {
	readonly handler: RequestListener;
	readonly host: string;
	readonly port: number;
	readonly requestTimeoutMs?: number;
}): Promise<HttpListener> => {
	const {handler, host, port, requestTimeoutMs = 0} = options;
	const server = createServer(
		{
			headersTimeout: headersTimeoutMs,
			connectionsCheckingInterval: timeoutCheckIntervalMs,
			keepAliveTimeout: keepAliveTimeoutMs,
			maxHeaderSize: headerBytesMax,
			requestTimeout: requestTimeoutMs,
		},
		handler,
	);
	try {
		server.listen({host, port});
		await once(server, 'listening');
	} catch (error) {
		throw listenFailed(error, {host, port});
	}
	// A connection that cannot be accepted (no descriptor is left) is that client's misfortune, not this process's end.
	server.on('error', () => undefined);
	const address = server.address() as AddressInfo;
	return {
		server,
		port: address.port,
		url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
		[Symbol.asyncDispose]: async () => {
			if (!server.listening) {
				return;
			}
			const closed = once(server, 'close');
			server.close();
			server.closeAllConnections();
			await closed;
		},
	};
};
