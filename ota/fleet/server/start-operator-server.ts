import {once} from 'node:events';
import {readFile} from 'node:fs/promises';
import type {Server} from 'node:http';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import type Router from '@koa/router';
import type {Middleware} from 'koa';
import {createApp} from '#appliance/http/create-app.ts';
import {listen} from '#appliance/http/listen.ts';
import {listenFailed} from '#appliance/http/listen-failed.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {FleetConfig} from '#ota/fleet/config/fleet-config-schema.ts';

const requestTimeoutMs = 3_600_000;
/** Whoever is slower than these holds a connection and gives nothing for it (slow-loris). */
const headersTimeoutMs = 10_000;
const handshakeTimeoutMs = 10_000;
/** How often Node looks for those; its default is 30 s. */
const timeoutCheckIntervalMs = 1000;
const headerBytesMax = 16 * 1024;

/** What routers answer has another type than what Koa takes, though it is the same. */
export type AnyMiddleware = Middleware | ReturnType<Router['routes']>;

export type OperatorServer = AsyncDisposable & {readonly url: string; readonly server: Server};

/** The console, the API and what belongs to them, in the order given. */
export const startOperatorServer = async (options: {
	readonly config: FleetConfig['operator'];
	readonly middleware: readonly AnyMiddleware[];
	readonly logger: Logger;
}): Promise<OperatorServer> => {
	const {config, middleware, logger} = options;
	const app = createApp({logger});
	app.proxy = config.publicUrl !== undefined;
	// Of X-Forwarded-For only what our own proxy appended: whatever stands before it was written by who asks.
	app.maxIpsCount = 1;
	for (const each of middleware) {
		app.use(each as Middleware);
	}
	if (config.tls === undefined) {
		return listen({handler: app.callback(), host: config.host, port: config.port, requestTimeoutMs});
	}
	const server = createServer(
		{
			cert: await readFile(config.tls.certificate),
			key: await readFile(config.tls.key),
			minVersion: 'TLSv1.2',
			headersTimeout: headersTimeoutMs,
			handshakeTimeout: handshakeTimeoutMs,
			connectionsCheckingInterval: timeoutCheckIntervalMs,
			maxHeaderSize: headerBytesMax,
			requestTimeout: requestTimeoutMs,
		},
		app.callback(),
	);
	try {
		server.listen({host: config.host, port: config.port});
		await once(server, 'listening');
	} catch (error) {
		throw listenFailed(error, config);
	}
	server.on('error', () => undefined);
	const {port} = server.address() as AddressInfo;
	return {
		server,
		url: `https://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`,
		[Symbol.asyncDispose]: async () => {
			const closed = once(server, 'close');
			server.close();
			server.closeAllConnections();
			await closed;
		},
	};
};
