import {readFile} from 'node:fs/promises';
import type {Logger} from '#appliance/log/logger.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {boxesToCut, markCut} from '#ota/fleet/authority/certificate-repository.ts';
import {type Authority, toPem} from '#ota/fleet/authority/open-authority.ts';
import type {ServerAuthority} from '#ota/fleet/authority/open-server-authority.ts';
import type {RevocationList, RevocationPublisher} from '#ota/fleet/authority/publish-revocations.ts';
import type {BrokerConfig} from '#ota/fleet/broker/broker-config.ts';
import {clearRetainedStreams} from '#ota/fleet/broker/clear-retained-streams.ts';
import {cutOffBox} from '#ota/fleet/broker/cut-off-box.ts';
import {serverCommonName} from '#ota/fleet/broker/mosquitto-config.ts';
import {untilRefused} from '#ota/fleet/broker/probe-broker.ts';
import {type Mosquitto, startMosquitto} from '#ota/fleet/broker/start-mosquitto.ts';
import type {BrokerCredentials} from '#ota/fleet/server/connect-broker.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** Revocations of other servers are looked for so often; those of this one wake the watch at once. */
const watchIntervalMs = 1000;
/** Of MQTT over TLS (IANA). */
const defaultPort = 8883;
const retry = {initialMs: 500, maxMs: 30_000} as const;

export type Broker = AsyncDisposable & {
	/** Where boxes connect: what claim files say. */
	readonly boxUrl: string;
	/** Where this server connects, and with what. */
	readonly serverUrl: string;
	readonly serverCredentials: BrokerCredentials | undefined;
	/** Of the child; undefined when somebody else runs the broker. */
	readonly pid: () => number | undefined;
	/** A box was revoked: see to it at once. */
	readonly wake: () => void;
	/** How much it cleared, by box. */
	readonly clearRetainedStreams: () => Promise<ReadonlyMap<string, number>>;
};

export type StartBrokerOptions = {
	readonly config: BrokerConfig;
	readonly stateDirectory: string;
	readonly authority: Authority;
	readonly serverAuthority: ServerAuthority;
	readonly revocations: RevocationPublisher;
	readonly database: FleetDatabase;
	/** Name by which boxes reach this machine. */
	readonly publicHost: string;
	/** Names and addresses in the broker's certificate, the public one among them. */
	readonly hosts: readonly string[];
	/** As of mosquitto. */
	readonly guard?: string | null | undefined;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly signal: AbortSignal;
};

/** Starts the broker, or takes the one that is named, and keeps revoked boxes out of it. */
export const startBroker = async (options: StartBrokerOptions): Promise<Broker> => {
	const {config, publicHost, revocations, logger} = options;
	await using stack = new AsyncDisposableStack();
	const list = await revocations.refresh();
	const mosquitto =
		config.kind === 'mosquitto' ? stack.use(await startMosquitto({...options, config, list})) : undefined;
	const place =
		config.kind === 'external'
			? {boxUrl: config.boxUrl, serverUrl: config.serverUrl}
			: {
					boxUrl: urlOf(publicHost, mosquitto?.ports.box ?? config.port),
					serverUrl: urlOf(reachable(config.serverHost), mosquitto?.ports.server ?? config.serverPort),
				};
	const serverCredentials = await credentialsFor(options);
	const watch = stack.use(
		watchRevocations({
			...options,
			...place,
			mosquitto,
			loaded: mosquitto === undefined ? 0 : list.number,
			serverCredentials,
		}),
	);
	logger.info({...place, kind: config.kind}, 'broker ready');
	const resources = stack.move();
	return {
		...place,
		serverCredentials,
		pid: () => mosquitto?.pid(),
		wake: watch.wake,
		clearRetainedStreams: () =>
			clearRetainedStreams({serverUrl: place.serverUrl, credentials: serverCredentials, signal: options.signal}),
		[Symbol.asyncDispose]: () => resources.disposeAsync(),
	};
};

const urlOf = (host: string, port: number): string => `mqtts://${host.includes(':') ? `[${host}]` : host}:${port}`;

const reachable = (host: string): string => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host);

const credentialsFor = async ({
	config,
	authority,
	serverAuthority,
}: StartBrokerOptions): Promise<BrokerCredentials | undefined> => {
	if (config.kind === 'external') {
		const {serverFiles} = config;
		if (serverFiles !== undefined) {
			return {
				caPem: await readFile(serverFiles.ca, 'utf8'),
				certificatePem: await readFile(serverFiles.certificate, 'utf8'),
				keyPem: await readFile(serverFiles.key, 'utf8'),
			};
		}
		if (config.serverUrl.startsWith('mqtt:')) {
			return undefined;
		}
	}
	return {caPem: authority.caPem, ...(await serverAuthority.issueClient(serverCommonName))};
};

type WatchOptions = StartBrokerOptions & {
	readonly mosquitto: Mosquitto | undefined;
	/** Number of the list that the broker was started with; 0 when that is not known. */
	readonly loaded: number;
	readonly boxUrl: string;
	readonly serverUrl: string;
	readonly serverCredentials: BrokerCredentials | undefined;
};

/**
 * One turn after the other: a list with every revocation there is, then the broker that knows it, then the connections
 * that are still there. In this order a box that is thrown out finds the door closed.
 */
const watchRevocations = (options: WatchOptions): AsyncDisposable & {readonly wake: () => void} => {
	const {mosquitto, revocations, database, clock, logger} = options;
	const stopping = new AbortController();
	const signal = AbortSignal.any([options.signal, stopping.signal]);
	let {loaded} = options;
	let woken = Promise.withResolvers<void>();

	const turn = async (): Promise<void> => {
		const beforeMs = clock.nowMs();
		const list = await revocations.refresh();
		const boxes = await boxesToCut(database);
		try {
			if (list.number !== loaded) {
				await load(list);
				loaded = list.number;
				logger.info({number: list.number, entries: list.entries}, 'revocations published');
			}
			await mosquitto?.renewCertificate();
		} catch (error) {
			// It can come back as long as the broker does not know the list, and is thrown out again at the next turn.
			await cutAll(boxes);
			throw error;
		}
		await cutAll(boxes, beforeMs);
	};

	const load = async (list: RevocationList): Promise<void> => {
		if (mosquitto !== undefined) {
			await mosquitto.load(list);
		} else {
			const {hostname, port} = new URL(options.boxUrl);
			const target = {
				host: hostname.replaceAll(/[[\]]/gu, ''),
				port: Number(port || defaultPort),
				ca: toPem(options.authority.chain),
			};
			await untilRefused({authority: options.authority, list, target, signal});
		}
	};

	const cutAll = async (boxes: readonly string[], doneBeforeMs?: number): Promise<void> => {
		for (const box of boxes) {
			await cutOffBox({box, serverUrl: options.serverUrl, credentials: options.serverCredentials, signal});
			if (doneBeforeMs !== undefined) {
				await markCut(database, {box, beforeMs: doneBeforeMs});
			}
			logger.info({box}, 'revoked box cut off');
		}
	};

	const run = async (): Promise<void> => {
		for (let failures = 0; !signal.aborted; ) {
			woken = Promise.withResolvers();
			try {
				await turn();
				failures = 0;
			} catch (error) {
				if (signal.aborted) {
					return;
				}
				logger.warn({err: error}, 'revocations did not reach the broker; tried again soon');
				failures += 1;
			}
			const waitMs = failures === 0 ? watchIntervalMs : backoffMs(failures - 1, retry);
			await Promise.race([sleep(waitMs, {signal}), woken.promise]).catch(() => undefined);
		}
	};
	const running = run();
	return {
		wake: () => woken.resolve(),
		[Symbol.asyncDispose]: async () => {
			stopping.abort();
			await running;
		},
	};
};
