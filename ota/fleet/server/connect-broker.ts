import {connect, type IClientPublishOptions, type IPublishPacket, type MqttClient} from 'mqtt';
import {payloadBytesMax} from '#appliance/contract/fleet/topic.ts';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import type {FleetErrorCode} from '#ota/fleet/fleet-error.ts';
import type {BrokerMessage, FleetBroker, PublishOptions} from '#ota/fleet/server/fleet-broker.ts';
import {matchesTopic} from '#ota/fleet/server/matches-topic.ts';

/** PEM texts of the fleet server's own certificate and of the CA that the broker's certificate comes from. */
export type BrokerCredentials = {readonly caPem: string; readonly certificatePem: string; readonly keyPem: string};

const connectTimeoutMs = 10_000;
const publishTimeoutMs = 15_000;
const keepaliveSeconds = 30;
const reconnect = {initialMs: 250, maxMs: 10_000} as const;
/** Messages that the broker may have under way to this server: what a batch of the database needs, and its successor. */
const receiveMaximum = 4096;

/** Not as published: the retain flag tells what the broker kept from what has just been said. */
const subscribeOptions = {qos: 1, rap: false} as const;

type Subscription = {
	readonly filter: string;
	readonly listener: (message: BrokerMessage) => undefined | Promise<void>;
};

/** Connects by MQTT 5 with a clean session: what matters is retained, or sent again by the box until it is acknowledged. */
export const connectBroker = async (options: {
	/** `mqtts://host:port`. */
	readonly url: string;
	readonly credentials: BrokerCredentials | undefined;
	readonly clientId: string;
	readonly logger: Logger;
	readonly signal: AbortSignal;
}): Promise<FleetBroker> => {
	const {url, credentials, clientId, logger, signal} = options;
	const subscriptions = new Set<Subscription>();
	const connectedListeners = new Set<() => void>();
	let attempt = 0;
	const client = connect(url, {
		protocolVersion: 5,
		clientId,
		clean: true,
		keepalive: keepaliveSeconds,
		connectTimeout: connectTimeoutMs,
		reconnectPeriod: reconnect.initialMs,
		resubscribe: false,
		queueQoSZero: false,
		properties: {receiveMaximum, maximumPacketSize: payloadBytesMax + 1024, sessionExpiryInterval: 0},
		...(credentials === undefined
			? {}
			: {ca: credentials.caPem, cert: credentials.certificatePem, key: credentials.keyPem}),
	});
	client.setMaxListeners(0);
	client.handleMessage = (packet, done) => {
		void deliver(subscriptions, packet, logger).finally(() => done());
	};
	client.on('connect', () => {
		attempt = 0;
		client.options.reconnectPeriod = reconnect.initialMs;
		logger.info({url}, 'connected to the broker');
		void resubscribe(client, subscriptions, logger);
		for (const listener of connectedListeners) {
			listener();
		}
	});
	client.on('close', () => {
		client.options.reconnectPeriod = backoffMs(attempt, reconnect);
		attempt += 1;
	});
	client.on('error', (error) => logger.warn({err: error, url}, 'the broker cannot be reached or refuses this server'));
	signal.addEventListener('abort', () => void client.endAsync(true).catch(() => undefined), {once: true});
	await firstConnection(client, url, signal);
	return {
		isConnected: () => client.connected,
		publish: (topic, payload, publishOptions) => publish(client, topic, payload, publishOptions),
		subscribe: async (filter, listener) => {
			const subscription = {filter, listener};
			const isFirst = ![...subscriptions].some((other) => other.filter === filter);
			subscriptions.add(subscription);
			if (isFirst && client.connected) {
				await client.subscribeAsync(filter, subscribeOptions);
			}
			return {[Symbol.asyncDispose]: () => unsubscribe(client, subscriptions, subscription)};
		},
		onConnected: (listener) => {
			connectedListeners.add(listener);
			if (client.connected) {
				listener();
			}
			return () => connectedListeners.delete(listener);
		},
		[Symbol.asyncDispose]: async () => {
			await client.endAsync(!client.connected).catch(() => undefined);
		},
	};
};

const firstConnection = async (client: MqttClient, url: string, signal: AbortSignal): Promise<void> => {
	const {promise, resolve, reject} = Promise.withResolvers<void>();
	let last: unknown;
	const onError = (error: unknown): void => {
		last = error;
	};
	const timeout = AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)]);
	const giveUp = (): void => reject(last ?? timeout.reason);
	timeout.addEventListener('abort', giveUp, {once: true});
	client.once('connect', () => resolve());
	client.on('error', onError);
	try {
		await promise;
	} catch (error) {
		client.end(true);
		signal.throwIfAborted();
		throw new CodedError<FleetErrorCode>('OTA_BROKER_UNREACHABLE', {
			message: `The broker at ${url} cannot be reached, or refuses this server: ${errorMessage(error)}`,
			cause: error,
			retryable: true,
		});
	} finally {
		timeout.removeEventListener('abort', giveUp);
		client.off('error', onError);
	}
};

/** The broker forgot them with the session. */
const resubscribe = async (
	client: MqttClient,
	subscriptions: ReadonlySet<Subscription>,
	logger: Logger,
): Promise<void> => {
	const filters = [...new Set([...subscriptions].map(({filter}) => filter))];
	if (filters.length === 0) {
		return;
	}
	try {
		await client.subscribeAsync(filters, subscribeOptions);
	} catch (error) {
		logger.error({err: error, filters}, 'the broker refuses the subscriptions of this server');
		client.reconnect();
	}
};

const unsubscribe = async (
	client: MqttClient,
	subscriptions: Set<Subscription>,
	subscription: Subscription,
): Promise<void> => {
	if (!subscriptions.delete(subscription)) {
		return;
	}
	const isLast = ![...subscriptions].some((other) => other.filter === subscription.filter);
	if (isLast && client.connected) {
		await client.unsubscribeAsync(subscription.filter).catch(() => undefined);
	}
};

const deliver = async (
	subscriptions: ReadonlySet<Subscription>,
	{topic, payload, retain}: IPublishPacket,
	logger: Logger,
): Promise<void> => {
	const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
	for (const {filter, listener} of subscriptions) {
		if (matchesTopic(filter, topic)) {
			try {
				const held = listener({topic, payload: bytes, retained: retain});
				if (held !== undefined) {
					await held;
				}
			} catch (error) {
				logger.error({err: error, topic}, 'a message was not handled');
			}
		}
	}
};

const publish = async (
	client: MqttClient,
	topic: string,
	payload: string | Buffer,
	{qos = 1, retain = false, expirySeconds, responseTopic, correlationData}: PublishOptions = {},
): Promise<void> => {
	const properties: NonNullable<IClientPublishOptions['properties']> = {
		...(expirySeconds === undefined ? {} : {messageExpiryInterval: expirySeconds}),
		...(responseTopic === undefined ? {} : {responseTopic}),
		...(correlationData === undefined ? {} : {correlationData: Buffer.from(correlationData)}),
	};
	const {promise, resolve, reject} = Promise.withResolvers<void>();
	// What is said at most once is done when it is written, and lost with the connection, which the keepalive bounds: a
	// timer for each of the thousands of words that acknowledge records would outlive them all.
	const timeout = qos === 0 ? undefined : AbortSignal.timeout(publishTimeoutMs);
	timeout?.addEventListener('abort', () => reject(timeout.reason), {once: true});
	client.publish(topic, payload, {qos, retain, properties}, (error) =>
		error === undefined || error === null ? resolve() : reject(error),
	);
	try {
		await promise;
	} catch (error) {
		throw new CodedError<FleetErrorCode>('OTA_BROKER_UNREACHABLE', {
			message: `The broker did not take a message on ${topic}: ${errorMessage(error)}`,
			cause: error,
			details: {topic},
			retryable: true,
		});
	}
};
