import {mkdir} from 'node:fs/promises';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import type {Acknowledged} from '#appliance/contract/fleet/spool-schema.ts';
import {boxTopic, streamTopic} from '#appliance/contract/fleet/topic.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {FilterFacts} from '#appliance/filter/filter-fields.ts';
import type {BoxIdentity} from '#appliance/identity/box-identity.ts';
import {createOrderGate} from '#appliance/identity/order-gate.ts';
import {trustOfClaim} from '#appliance/identity/order-trust.ts';
import {createTrustRepository, type TrustRepository} from '#appliance/identity/trust-repository.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Connection} from '#appliance/mqtt/connection.ts';
import {createCommands} from '#appliance/mqtt/create-commands.ts';
import {createDesiredKeeper} from '#appliance/mqtt/desired-keeper.ts';
import type {MqttErrorCode} from '#appliance/mqtt/error-code.ts';
import type {CarouselUpdate, DesiredState, FleetLink} from '#appliance/mqtt/fleet-link.ts';
import {openLinkDatabase} from '#appliance/mqtt/link-database.ts';
import {acknowledgeBackoff, spoolBytesDefault, streamExpirySeconds} from '#appliance/mqtt/link-limits.ts';
import {createListeners} from '#appliance/mqtt/listeners.ts';
import {createMessageRouter} from '#appliance/mqtt/message-router.ts';
import {createRefusalTeller} from '#appliance/mqtt/refusal-teller.ts';
import {createReportedKeeper} from '#appliance/mqtt/reported-keeper.ts';
import {runSession} from '#appliance/mqtt/run-session.ts';
import {createSpool, type Spool} from '#appliance/mqtt/spool.ts';
import {createSpoolRepository, type SpoolTopic, spoolTopics} from '#appliance/mqtt/spool-repository.ts';
import {createSpoolSender, type SpoolSender} from '#appliance/mqtt/spool-sender.ts';
import {createStateRepository, type StateRepository} from '#appliance/mqtt/state-repository.ts';
import {createStreamChannels} from '#appliance/mqtt/stream-channels.ts';
import type {Database} from '#appliance/store/open-database.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';

export type FleetLinkOptions = {
	/** `<stateDirectory>/fleet`; link.db lies there. */
	readonly directory: string;
	/** Whom the box is and whom it trusts. While it has no certificate yet the link spools and waits. */
	readonly identity: BoxIdentity;
	readonly kind: BoxKind;
	/** New at each boot of the machine. */
	readonly bootId: string;
	/** What the box knows of itself, for orders that are addressed to a filter. */
	readonly facts: () => FilterFacts;
	readonly logger: Logger;
	readonly clock?: Clock;
	readonly random?: () => number;
	/** What the spool may take on disk; default `spoolBytesDefault`. */
	readonly spoolBytesMax?: number;
	/** Of reconnecting and of sending again what the fleet does not acknowledge. */
	readonly backoff?: LinkBackoff;
};

export type LinkBackoff = {
	readonly reconnect?: {readonly initialMs: number; readonly maxMs: number};
	readonly acknowledge?: {readonly initialMs: number; readonly maxMs: number};
};

/** Opens the spool and begins to connect; resolves at once, connected or not. Dispose ends it with a clean offline. */
export const startFleetLink = async (options: FleetLinkOptions): Promise<FleetLink> => {
	const logger = options.logger.child({component: 'fleet-link'});
	await mkdir(options.directory, {recursive: true, mode: 0o700});
	const database = await openLinkDatabase(options.directory, logger);
	try {
		return assemble({...options, logger}, database);
	} catch (error) {
		database.close();
		throw error;
	}
};

const assemble = (options: FleetLinkOptions, database: Database): FleetLink => {
	const {identity, kind, logger, facts, clock = systemClock, random = Math.random} = options;
	const {deviceId} = identity;
	const stop = new AbortController();
	let connection: Connection | undefined;
	const publish: Connection['publish'] = (...publication) =>
		connection?.publish(...publication) ?? Promise.reject(notConnected());

	const {spool, senders} = openSpool(options, database);
	const {trust, state} = openState(options, database);
	const gate = createOrderGate({repository: trust, facts: () => ({...facts(), id: deviceId}), clock});
	const refusals = createRefusalTeller({clock, logger, tellEvent: (event) => spool.tellEvent(event, 'warning')});
	const desiredListeners = createListeners<DesiredState>('onDesired', logger);
	const carouselListeners = createListeners<CarouselUpdate>('onCarouselUpdate', logger);
	const connectedListeners = createListeners<undefined>('onConnected', logger);
	const desired = createDesiredKeeper({
		...{gate, repository: state, refusals, logger},
		onCarouselUpdate: carouselListeners.tell,
		onDesired: (wanted) => {
			reported.refresh();
			desiredListeners.tell(wanted);
		},
	});
	const reported = createReportedKeeper({
		...{deviceId, kind, repository: state, clock, logger},
		desiredRevision: () => desired.desired()?.revision ?? 0,
	});
	const commands = createCommands({
		...{database, gate, refusals, clock, logger},
		publish: (reply) => publish(boxTopic(deviceId, 'reply'), JSON.stringify(reply), {correlationData: reply.id}),
	});
	const channels = createStreamChannels({
		...{logger, refusals},
		publish: (streamId, frame) => {
			const topic = streamTopic(deviceId, streamId, 'out');
			sendOnce(publish(topic, JSON.stringify(frame), {expirySeconds: streamExpirySeconds}), logger);
		},
	});
	const takers = {
		desired: desired.take,
		command: commands.take,
		stream: channels.take,
		acknowledged: (message: Acknowledged) => {
			for (const sender of senders) {
				sender.acknowledge(message);
			}
		},
	};
	const session = runSession({
		...{identity, bootId: options.bootId, logger, clock, random, backoff: options.backoff?.reconnect},
		signal: stop.signal,
		onMessage: createMessageRouter({deviceId, logger, takers}),
		onConnected: (made) => {
			connection = made;
			for (const part of [reported, ...senders]) {
				part.connect(made);
			}
			commands.sendKept();
			connectedListeners.tell(undefined);
		},
		onLost: () => {
			connection = undefined;
			for (const part of [reported, ...senders]) {
				part.disconnect();
			}
		},
	});
	return {
		deviceId,
		isConnected: () => connection !== undefined && !connection.lost.aborted,
		tellEvent: (event, severity = 'info') => spool.tellEvent(event, severity),
		tellTelemetry: spool.tellTelemetry,
		report: reported.report,
		desired: desired.desired,
		keyChain: desired.keyChain,
		onDesired: (listener) => desiredListeners.add(listener, desired.desired()),
		takeCarouselOrders: desired.takeCarouselOrders,
		onCarouselUpdate: (listener) => carouselListeners.add(listener, desired.carouselUpdate()),
		handleCommands: commands.handle,
		openChannel: channels.open,
		onConnected: (listener) => connectedListeners.add(listener),
		[Symbol.asyncDispose]: async () => {
			stop.abort();
			await Promise.allSettled([commands.stop(), session]);
			database.close();
		},
	};
};

/** Nobody waits for it; what it is part of is sent anew after a reconnection. */
const sendOnce = (published: Promise<void>, logger: Logger): void => {
	published.catch((error: unknown) => logger.debug({err: error}, 'a frame was not sent'));
};

const notConnected = (): CodedError<MqttErrorCode> =>
	new CodedError('MQTT_CONNECTION_LOST', {message: 'The box is not connected to its fleet.', retryable: true});

const openSpool = (
	{identity, logger, clock = systemClock, random = Math.random, ...options}: FleetLinkOptions,
	database: Database,
): {readonly spool: Spool; readonly senders: readonly SpoolSender[]} => {
	const senders = new Map<SpoolTopic, SpoolSender>();
	const spool = createSpool({
		repository: createSpoolRepository(database),
		bytesMax: options.spoolBytesMax ?? spoolBytesDefault,
		clock,
		logger,
		onRecord: (topic) => senders.get(topic)?.pump(),
	});
	for (const topic of spoolTopics) {
		const path = boxTopic(identity.deviceId, topic);
		const backoff = options.backoff?.acknowledge ?? acknowledgeBackoff;
		senders.set(topic, createSpoolSender({topic, path, spool, random, backoff}));
	}
	return {spool, senders: [...senders.values()]};
};

/** Desired state and trust belong to one fleet: a box that was claimed by another begins without. */
const openState = (
	{identity, logger}: FleetLinkOptions,
	database: Database,
): {readonly trust: TrustRepository; readonly state: StateRepository} => {
	const trust = createTrustRepository(database);
	const state = createStateRepository(database);
	if (trust.begin(trustOfClaim(identity.claim))) {
		logger.info({fleet: identity.claim.fleet}, 'belongs to another fleet, or trusts another key, from now on');
		state.remove('desired');
		state.remove('carousel');
	}
	return {trust, state};
};
