import type Router from '@koa/router';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {createRateLimiter} from '#ota/fleet/api/rate-limiter.ts';
import {type TlsCredentials, toPem} from '#ota/fleet/authority/open-authority.ts';
import type {Trust} from '#ota/fleet/authority/open-trust.ts';
import {createDeviceApp} from '#ota/fleet/device/create-device-app.ts';
import type {DeviceListenerConfig} from '#ota/fleet/device/device-config.ts';
import {keepPort} from '#ota/fleet/device/keep-port.ts';
import {type DeviceListener, type DeviceTimeouts, listenForDevices} from '#ota/fleet/device/listen-for-devices.ts';

/** How often it is looked whether the listener's certificate has lived two thirds of its life. */
const renewalCheckMs = 3_600_000;

export type DeviceServer = AsyncDisposable & {
	readonly port: number;
	/** `https://<public host>:<port>`: below it are EST, artefacts and uploads. */
	readonly url: string;
};

/** Starts HTTPS with mutual TLS for boxes, with the routes of every part, and keeps its own certificate young. */
export const startDeviceServer = async (options: {
	readonly config: DeviceListenerConfig;
	readonly trust: Trust;
	readonly routers: readonly Router[];
	readonly stateDirectory: string;
	readonly publicHost: string;
	/** Names and addresses in its certificate. */
	readonly hosts: readonly string[];
	readonly clock: Clock;
	readonly logger: Logger;
	readonly signal: AbortSignal;
	readonly timeouts?: DeviceTimeouts;
	readonly renewalCheckMs?: number;
}): Promise<DeviceServer> => {
	const {config, trust, routers, stateDirectory, publicHost, hosts, clock, logger, timeouts} = options;
	const {authority, authentication} = trust;
	const limiter = createRateLimiter({burst: config.requestBurst, perSecond: config.requestsPerSecond}, {clock});
	const app = createDeviceApp({routers, authentication, limiter, logger});
	const port = await keepPort({name: 'device', host: config.host, port: config.port, stateDirectory});
	const credentials = await authority.issueServer(hosts);
	await using stack = new AsyncDisposableStack();
	const listener = stack.use(
		await listenForDevices({
			handler: app.callback(),
			credentials,
			clientCaPem: toPem(authority.chain),
			config: {...config, port},
			...(timeouts === undefined ? {} : {timeouts}),
		}),
	);
	const stopping = new AbortController();
	const renewing = renewWhenOld(listener, credentials, {
		...options,
		signal: AbortSignal.any([options.signal, stopping.signal]),
		intervalMs: options.renewalCheckMs ?? renewalCheckMs,
	});
	stack.defer(async () => {
		stopping.abort();
		await renewing;
	});
	const url = `https://${publicHost.includes(':') ? `[${publicHost}]` : publicHost}:${listener.port}`;
	logger.info({url}, 'listening for boxes');
	const resources = stack.move();
	return {port: listener.port, url, [Symbol.asyncDispose]: () => resources.disposeAsync()};
};

const renewWhenOld = async (
	listener: DeviceListener,
	first: TlsCredentials,
	options: {
		readonly trust: Trust;
		readonly hosts: readonly string[];
		readonly clock: Clock;
		readonly logger: Logger;
		readonly signal: AbortSignal;
		readonly intervalMs: number;
	},
): Promise<void> => {
	const {trust, hosts, clock, logger, signal, intervalMs} = options;
	const renewAt = ({notAfterMs}: TlsCredentials): number => clock.nowMs() + ((notAfterMs - clock.nowMs()) * 2) / 3;
	let renewAtMs = renewAt(first);
	while (!signal.aborted) {
		await sleep(intervalMs, {signal}).catch(() => undefined);
		if (signal.aborted || clock.nowMs() < renewAtMs) {
			continue;
		}
		try {
			const next = await trust.authority.issueServer(hosts);
			listener.renew(next);
			renewAtMs = renewAt(next);
			logger.info({notAfterMs: next.notAfterMs}, 'certificate of the device listener renewed');
		} catch (error) {
			logger.error({err: error, reason: errorMessage(error)}, 'certificate of the device listener not renewed');
		}
	}
};
