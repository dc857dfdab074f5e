import {connect, type IClientOptions, type MqttClient} from 'mqtt';
import mqttPacket from 'mqtt-packet';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {boxTopic, commandTopic, payloadBytesMax, streamTopic} from '#appliance/contract/fleet/topic.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {Credentials} from '#appliance/identity/box-identity.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {type Connection, createConnection} from '#appliance/mqtt/connection.ts';
import type {MqttErrorCode} from '#appliance/mqtt/error-code.ts';
import {
	connectTimeoutMs,
	keepaliveSeconds,
	packetOverheadBytes,
	receiveMaximum,
	sessionExpirySeconds,
	willDelaySeconds,
} from '#appliance/mqtt/link-limits.ts';

export type IncomingMessage = {readonly topic: string; readonly payload: Buffer};

export type ConnectionOptions = {
	readonly brokerUrl: string;
	readonly deviceId: DeviceId;
	readonly credentials: Credentials;
	/** The retained `presence` that the broker publishes when the connection breaks. */
	readonly will: string;
	readonly logger: Logger;
	/** Called one at a time; the broker has the message back until it resolves. Must not wait for a publish. */
	readonly onMessage: (message: IncomingMessage) => Promise<void>;
	readonly signal: AbortSignal;
};

/** What a box hears (design.md section 4); the broker lets it have no more. */
const filtersOf = (deviceId: DeviceId): readonly string[] => [
	boxTopic(deviceId, 'desired'),
	boxTopic(deviceId, 'acknowledged'),
	commandTopic(deviceId, '+'),
	streamTopic(deviceId, '+', 'in'),
];

const clientOptions = ({deviceId, credentials, will}: ConnectionOptions): IClientOptions => ({
	protocolVersion: 5,
	clientId: deviceId,
	clean: false,
	keepalive: keepaliveSeconds,
	connectTimeout: connectTimeoutMs,
	// Our own back-off has jitter and knows good connections from bad; the library's period is fixed.
	reconnectPeriod: 0,
	resubscribe: false,
	queueQoSZero: false,
	key: credentials.keyPem,
	cert: credentials.certificatePem,
	ca: credentials.caPem,
	rejectUnauthorized: true,
	properties: {
		sessionExpiryInterval: sessionExpirySeconds,
		receiveMaximum,
		maximumPacketSize: payloadBytesMax + packetOverheadBytes,
	},
	will: {
		topic: boxTopic(deviceId, 'presence'),
		payload: Buffer.from(will),
		qos: 1,
		retain: true,
		properties: {willDelayInterval: willDelaySeconds},
	},
});

/**
 * One connection to the broker, of MQTT 5 over mutual TLS, in the box's persistent session. Rejects when it cannot be
 * made; once resolved, `connection.lost` aborts when it ends for whatever reason.
 */
export const openConnection = async (options: ConnectionOptions): Promise<Connection> => {
	const {brokerUrl, deviceId, logger, signal} = options;
	signal.throwIfAborted();
	// A buffer made beforehand for each of 65,536 numbers: 8 MB, for a client that sends a few packets in a second.
	mqttPacket.writeToStream.cacheNumbers = false;
	const client = connect(brokerUrl, clientOptions(options));
	const lost = new AbortController();
	let cause: unknown;
	client.on('error', (error) => {
		cause = error;
		logger.debug({err: error}, 'the connection failed');
	});
	client.on('close', () => lost.abort(lostError(cause)));
	const giveUp = (): void => {
		client.end(true);
		lost.abort(signal.reason);
	};
	signal.addEventListener('abort', giveUp, {once: true});
	// Called before the acknowledgement is sent, which waits for it: a message is processed, or comes again.
	client.handleMessage = (packet, done) => {
		const payload = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload);
		options
			.onMessage({topic: packet.topic, payload})
			.catch((error: unknown) => logger.error({err: error, topic: packet.topic}, 'a message could not be processed'))
			.finally(() => done())
			.catch(() => undefined);
	};
	try {
		const connack = await connected(client, lost.signal);
		// Also in a session that the broker kept: what a release before this one asked for may have been less.
		await subscribe(client, filtersOf(deviceId), lost.signal);
		return createConnection({client, lost, connack, logger});
	} catch (error) {
		client.end(true);
		throw new CodedError<MqttErrorCode>('MQTT_CONNECT_FAILED', {
			message: 'The broker cannot be reached, or does not let this box in.',
			cause: error,
			details: {brokerUrl},
			retryable: true,
		});
	} finally {
		signal.removeEventListener('abort', giveUp);
	}
};

const lostError = (cause: unknown): CodedError<MqttErrorCode> =>
	new CodedError('MQTT_CONNECTION_LOST', {message: 'The connection to the broker was lost.', cause, retryable: true});

export type Connack = {readonly sessionPresent: boolean; readonly receiveMaximum: number};

const connected = (client: MqttClient, lost: AbortSignal): Promise<Connack> => {
	const {promise, resolve, reject} = Promise.withResolvers<Connack>();
	client.once('connect', ({sessionPresent, properties}) => {
		resolve({sessionPresent, receiveMaximum: properties?.receiveMaximum ?? receiveMaximum});
	});
	lost.addEventListener('abort', () => reject(lost.reason as Error), {once: true});
	return promise;
};

const subscribe = async (client: MqttClient, filters: readonly string[], lost: AbortSignal): Promise<void> => {
	const {promise, reject} = Promise.withResolvers<never>();
	const onLost = (): void => reject(lost.reason as Error);
	lost.addEventListener('abort', onLost, {once: true});
	const timer = AbortSignal.timeout(connectTimeoutMs);
	timer.addEventListener('abort', () => reject(timer.reason as Error), {once: true});
	const granted = await Promise.race([client.subscribeAsync([...filters], {qos: 1}), promise]);
	lost.removeEventListener('abort', onLost);
	const refused = granted.filter(({qos}) => qos > 2);
	if (refused.length > 0) {
		throw new Error(`the broker refused ${refused.map(({topic}) => topic).join(', ')}`);
	}
};
