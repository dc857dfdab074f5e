import path from 'node:path';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {type Accounts, createAccounts} from '#ota/fleet/account/create-accounts.ts';
import {createApi} from '#ota/fleet/api/create-api.ts';
import {type AuditLog, createAuditLog} from '#ota/fleet/audit/audit-log.ts';
import {openTrust, type Trust} from '#ota/fleet/authority/open-trust.ts';
import {type Broker, startBroker} from '#ota/fleet/broker/start-broker.ts';
import {watchRetainedStreams} from '#ota/fleet/broker/watch-retained-streams.ts';
import type {FleetConfig} from '#ota/fleet/config/fleet-config-schema.ts';
import {keepPort} from '#ota/fleet/device/keep-port.ts';
import {startDeviceServer} from '#ota/fleet/device/start-device-server.ts';
import {startOnFreePorts} from '#ota/fleet/device/start-on-free-ports.ts';
import type {FleetContext} from '#ota/fleet/fleet-part.ts';
import {type FleetParts, fleetParts} from '#ota/fleet/fleet-parts.ts';
import {startIngest} from '#ota/fleet/ingest/start-ingest.ts';
import {watchSilence} from '#ota/fleet/ingest/watch-silence.ts';
import {createChanges} from '#ota/fleet/live/changes.ts';
import {createLiveMiddleware} from '#ota/fleet/live/live-middleware.ts';
import {createOrderDesk} from '#ota/fleet/order/create-order-desk.ts';
import type {OrderContext} from '#ota/fleet/order/order-context.ts';
import {openOrderKeys} from '#ota/fleet/order/order-keys.ts';
import {publishOrders} from '#ota/fleet/order/start-order-publisher.ts';
import {retainRecords} from '#ota/fleet/registry/start-retention.ts';
import {connectBroker} from '#ota/fleet/server/connect-broker.ts';
import type {FleetBroker} from '#ota/fleet/server/fleet-broker.ts';
import {createLeases, type Leases} from '#ota/fleet/server/leases.ts';
import {readReleaseTrust} from '#ota/fleet/server/release-trust.ts';
import {startServerHeartbeat} from '#ota/fleet/server/server-heartbeat.ts';
import {readServerId} from '#ota/fleet/server/server-id.ts';
import {type AnyMiddleware, startOperatorServer} from '#ota/fleet/server/start-operator-server.ts';
import {openDatabasePatiently} from '#ota/fleet/store/open-database-patiently.ts';

export type Fleet = AsyncDisposable & {
	readonly serverId: string;
	/** Of the console and the API. */
	readonly url: string;
	readonly deviceUrl: string;
	readonly brokerUrl: string;
	/** Only at the very first start of a fleet. */
	readonly firstAdmin: {readonly name: string; readonly password: string} | undefined;
	readonly parts: FleetParts;
};

export type StartFleetOptions = {
	readonly config: FleetConfig;
	readonly stateDirectory: string;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly signal: AbortSignal;
};

type Core = {
	readonly context: FleetContext;
	readonly trust: Trust;
	readonly broker: FleetBroker;
	readonly brokerUrl: string;
	readonly clearRetainedStreams: Broker['clearRetainedStreams'];
	readonly leases: Leases;
	readonly orders: OrderContext;
	readonly woken: () => Promise<void>;
	readonly accounts: Accounts;
	readonly audit: AuditLog;
	readonly devicePort: number;
	readonly parts: FleetParts;
};

/** A whole fleet server: what it trusts, its broker, its parts, its two listeners, and the work that goes on. */
export const startFleet = (options: StartFleetOptions): Promise<Fleet> =>
	startOnFreePorts(() => startOnce(options), options);

const startOnce = async (options: StartFleetOptions): Promise<Fleet> => {
	const {config, logger} = options;
	await using stack = new AsyncDisposableStack();
	const core = await prepare(options, stack);
	const {context, parts, brokerUrl} = core;
	const listeners = await serve(options, core, stack);
	const firstAdmin = await core.accounts.makeFirstAdmin();
	logger.info({...listeners, brokerUrl, serverId: context.serverId}, 'fleet server ready');
	const running = stack.move();
	return {
		serverId: context.serverId,
		url: config.operator.publicUrl ?? listeners.url,
		deviceUrl: listeners.deviceUrl,
		brokerUrl,
		firstAdmin,
		parts,
		[Symbol.asyncDispose]: () => running.disposeAsync(),
	};
};

/** Everything that the parts are given, and the parts. Nothing is heard or said yet. */
const prepare = async (options: StartFleetOptions, stack: AsyncDisposableStack): Promise<Core> => {
	const {config, stateDirectory, clock, logger, signal} = options;
	const {fleet} = config;
	const serverId = config.serverId ?? (await readServerId(stateDirectory));
	const store = stack.use(
		await openDatabasePatiently({
			url: config.databaseUrl ?? `sqlite:${path.join(stateDirectory, 'fleet.db')}`,
			...{logger, signal},
		}),
	);
	const {database} = store;
	const changes = stack.use(createChanges({serverId, signal}));
	const context: FleetContext = {serverId, store, changes, clock, logger, signal};
	const trust = await openTrust({...{fleet, stateDirectory, database, clock, logger}, config: config.authority});
	const brokers = stack.use(await startBrokers(options, {context, trust}));
	await changes.connect(brokers.broker);
	const leases = createLeases({database, serverId, clock, logger});
	const {wake, woken} = createWaker();
	const keyFile = config.orderKeyFile ?? path.join(stateDirectory, 'order-key', 'keys.json');
	const orders: OrderContext = {fleet, database, clock, keys: await openOrderKeys({filePath: keyFile})};
	const audit = createAuditLog({database, clock});
	const accounts = createAccounts(context, {
		isSecure: config.operator.tls !== undefined || (config.operator.publicUrl?.startsWith('https:') ?? false),
		writeAudit: audit.write,
		...(config.oidc === undefined ? {} : {oidc: config.oidc}),
	});
	const devicePort = await keepPort({...config.device, name: 'device', stateDirectory});
	const shared = {context, trust, broker: brokers.broker, brokerUrl: brokers.boxUrl, leases, accounts, audit};
	const parts = fleetParts(context, {
		...shared,
		...{config, stateDirectory},
		orderDesk: createOrderDesk({...orders, wake}),
		wakeBroker: brokers.wake,
		deviceUrl: `https://${config.publicHost}:${devicePort}`,
		releaseCaPem: await readReleaseTrust({caFile: config.release.caFile, stateDirectory, fleet}),
	});
	return {...shared, clearRetainedStreams: brokers.clearRetainedStreams, orders, woken, devicePort, parts};
};

/** Boxes are heard first, then come, then people; the work that goes on begins last. */
const serve = async (
	options: StartFleetOptions,
	core: Core,
	stack: AsyncDisposableStack,
): Promise<{readonly url: string; readonly deviceUrl: string}> => {
	const {config, stateDirectory, clock, logger, signal} = options;
	const {context, parts, broker, leases, orders, clearRetainedStreams} = core;
	const {store, changes, serverId} = context;
	const {database} = store;
	const ingest = stack.use(
		await startIngest({
			store,
			clock,
			parts: parts.all,
			shareGroup: core.trust.shareGroup,
			broker,
			changes,
			logger,
			signal,
		}),
	);
	const device = stack.use(
		await startDeviceServer({
			config: {...config.device, port: core.devicePort},
			trust: core.trust,
			routers: parts.all.flatMap(({deviceRoutes}) => deviceRoutes ?? []),
			publicHost: config.publicHost,
			hosts: hostsOf(config),
			...{stateDirectory, clock, logger, signal},
		}),
	);
	for (const part of parts.all) {
		if (part.start !== undefined) {
			stack.use(await part.start());
		}
	}
	const operator = stack.use(
		await startOperatorServer({config: config.operator, middleware: middlewareOf(options, core), logger}),
	);
	stack.use(parts.attachStreams(operator.server));
	stack.use(
		await startServerHeartbeat({
			...{database, serverId, clock, logger, signal},
			url: operator.url,
			onPeerLost: () => ingest.reconcile(),
		}),
	);
	stack.use(
		startLeased(leases, signal, [
			['orders', (held) => publishOrders({...orders, broker, logger}, {...held, woken: core.woken})],
			['silence', (held) => watchSilence({database, broker, changes, clock, logger}, held)],
			['retained-streams', (held) => watchRetainedStreams({clearRetainedStreams, database, clock, logger}, held)],
			['retention', (held) => retainRecords({database, retention: config.retention, clock, logger}, held)],
		]),
	);
	ingest.reconcile();
	return {url: operator.url, deviceUrl: device.url};
};

const middlewareOf = ({config, clock, logger, signal}: StartFleetOptions, core: Core): readonly AnyMiddleware[] => {
	const {accounts, parts, context, audit} = core;
	const {authenticate} = accounts;
	const {publicUrl} = config.operator;
	const api = createApi({
		endpoints: parts.all.flatMap(({endpoints}) => endpoints ?? []),
		authenticate,
		writeAudit: audit.write,
		...{clock, logger, signal},
		...(publicUrl === undefined ? {} : {publicUrl}),
	});
	return [
		createLiveMiddleware({changes: context.changes, authenticate, signal}),
		...(accounts.oidcRouter === undefined ? [] : [accounts.oidcRouter.routes()]),
		api.routes(),
		...parts.middleware,
	];
};

/** Names by which boxes and servers reach this machine, in its certificates. */
const hostsOf = ({publicHost}: FleetConfig): readonly string[] => [
	...new Set([publicHost, 'localhost', '127.0.0.1', '::1']),
];

const startBrokers = async (
	{config, stateDirectory, clock, logger, signal}: StartFleetOptions,
	{context, trust}: {readonly context: FleetContext; readonly trust: Trust},
): Promise<
	AsyncDisposable & Pick<Broker, 'boxUrl' | 'wake' | 'clearRetainedStreams'> & {readonly broker: FleetBroker}
> => {
	await using stack = new AsyncDisposableStack();
	const started = stack.use(
		await startBroker({
			config: config.broker,
			...trust,
			...{stateDirectory, clock, logger, signal},
			database: context.store.database,
			publicHost: config.publicHost,
			hosts: hostsOf(config),
		}),
	);
	const broker = stack.use(
		await connectBroker({
			url: started.serverUrl,
			credentials: started.serverCredentials,
			clientId: `server.${context.serverId}`,
			...{logger, signal},
		}),
	);
	const running = stack.move();
	return {
		broker,
		boxUrl: started.boxUrl,
		wake: started.wake,
		clearRetainedStreams: started.clearRetainedStreams,
		[Symbol.asyncDispose]: () => running.disposeAsync(),
	};
};

const createWaker = (): {readonly wake: () => void; readonly woken: () => Promise<void>} => {
	let next = Promise.withResolvers<void>();
	return {
		wake: () => {
			next.resolve();
			next = Promise.withResolvers();
		},
		woken: () => next.promise,
	};
};

const startLeased = (
	leases: Leases,
	fleetSignal: AbortSignal,
	works: readonly (readonly [string, (held: {readonly signal: AbortSignal}) => Promise<void>])[],
): AsyncDisposable => {
	const stop = new AbortController();
	const signal = AbortSignal.any([fleetSignal, stop.signal]);
	const running = works.map(([name, work]) => leases.withLease(name, work, {signal}));
	return {
		[Symbol.asyncDispose]: async () => {
			stop.abort();
			await Promise.all(running);
		},
	};
};
