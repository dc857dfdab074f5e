import {once} from 'node:events';
import type {RequestListener} from 'node:http';
import {createServer, type Server} from 'node:https';
import type {AddressInfo} from 'node:net';
import {listenFailed} from '#appliance/http/listen-failed.ts';
import type {TlsCredentials} from '#ota/fleet/authority/open-authority.ts';
import type {DeviceListenerConfig} from '#ota/fleet/device/device-config.ts';
import {limitConnections} from '#ota/fleet/device/limit-connections.ts';

/** Whoever is slower than these holds a connection and gives nothing for it (slow-loris). */
const handshakeTimeoutMs = 10_000;
const headersTimeoutMs = 10_000;
const keepAliveTimeoutMs = 30_000;
/** How often Node looks for those that are too slow; its default is 30 s. */
const timeoutCheckIntervalMs = 1000;
/** A request with its body: an upload over a slow uplink takes hours, in parts. Routes with small bodies say less. */
const requestTimeoutMs = 3_600_000;
const headerBytesMax = 16 * 1024;
const headersCountMax = 64;
const requestsPerConnectionMax = 10_000;

export type DeviceListener = AsyncDisposable & {
	readonly port: number;
	readonly server: Server;
	/** New connections see this certificate. */
	readonly renew: (credentials: TlsCredentials) => void;
};

export type DeviceTimeouts = {readonly handshakeMs?: number; readonly headersMs?: number};

/**
 * HTTPS with a client certificate that is asked for and not demanded: a box that enrols has none yet, and one whose
 * certificate has ended must be able to renew it. Who asks is the middleware's to decide.
 */
export const listenForDevices = async (options: {
	readonly handler: RequestListener;
	readonly credentials: TlsCredentials;
	/** Root and issuers, named in the request for a certificate. */
	readonly clientCaPem: string;
	readonly config: DeviceListenerConfig;
	/** Shorter in tests. */
	readonly timeouts?: DeviceTimeouts;
}): Promise<DeviceListener> => {
	const {handler, credentials, clientCaPem, config, timeouts = {}} = options;
	const {host, port} = config;
	const contextOf = ({keyPem, certificatePem}: TlsCredentials) =>
		({key: keyPem, cert: certificatePem, ca: clientCaPem, minVersion: 'TLSv1.2'}) as const;
	const server = createServer(
		{
			...contextOf(credentials),
			requestCert: true,
			rejectUnauthorized: false,
			handshakeTimeout: timeouts.handshakeMs ?? handshakeTimeoutMs,
			headersTimeout: timeouts.headersMs ?? headersTimeoutMs,
			requestTimeout: requestTimeoutMs,
			connectionsCheckingInterval: timeoutCheckIntervalMs,
			keepAliveTimeout: keepAliveTimeoutMs,
			maxHeaderSize: headerBytesMax,
			ALPNProtocols: ['http/1.1'],
		},
		handler,
	);
	server.maxHeadersCount = headersCountMax;
	server.maxRequestsPerSocket = requestsPerConnectionMax;
	server.maxConnections = config.connectionsMax;
	limitConnections(server, config.connectionsPerAddressMax);
	try {
		server.listen({host, port});
		await once(server, 'listening');
	} catch (error) {
		throw listenFailed(error, {host, port});
	}
	// What one client cannot have (a descriptor, a handshake) is not this process's end.
	server.on('error', () => undefined);
	server.on('tlsClientError', (_, socket) => socket.destroy());
	return {
		server,
		port: (server.address() as AddressInfo).port,
		renew: (next) => server.setSecureContext(contextOf(next)),
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
