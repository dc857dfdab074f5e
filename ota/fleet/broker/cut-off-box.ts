import {connect, type MqttClient} from 'mqtt';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {Presence} from '#appliance/contract/fleet/presence-schema.ts';
import {boxTopic} from '#appliance/contract/fleet/topic.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Incoming} from '#ota/fleet/ingest/incoming.ts';
import {parseIncoming} from '#ota/fleet/ingest/parse-incoming.ts';
import type {BrokerCredentials} from '#ota/fleet/server/connect-broker.ts';

const cutTimeoutMs = 10_000;
/** What is retained comes at once with the subscription: after so long there is none. */
const quietMs = 500;

/**
 * Throws a box out of the broker: whoever connects with the id of a client ends that client's connection (MQTT 5 section
 * 3.1.4-3), and a clean start that ends at once takes its session with it. The fleet is told that the box has gone.
 */
export const cutOffBox = async (options: {
	readonly box: string;
	/** Of the listener for servers, where any client id may be taken. */
	readonly serverUrl: string;
	readonly credentials: BrokerCredentials | undefined;
	readonly signal: AbortSignal;
}): Promise<void> => {
	const {box, serverUrl, credentials, signal} = options;
	signal.throwIfAborted();
	const client = connect(serverUrl, {
		protocolVersion: 5,
		clientId: box,
		clean: true,
		reconnectPeriod: 0,
		connectTimeout: cutTimeoutMs,
		properties: {sessionExpiryInterval: 0},
		...(credentials === undefined
			? {}
			: {ca: credentials.caPem, cert: credentials.certificatePem, key: credentials.keyPem}),
	});
	const limit = AbortSignal.any([signal, AbortSignal.timeout(cutTimeoutMs)]);
	const connected = Promise.withResolvers<void>();
	const gone = Promise.withResolvers<void>();
	const giveUp = (): void => {
		connected.reject(limit.reason);
		gone.resolve();
	};
	limit.addEventListener('abort', giveUp, {once: true});
	client.on('connect', () => connected.resolve());
	client.on('error', connected.reject);
	client.on('close', () => {
		connected.reject(new Error('the broker closed the connection'));
		// Once connected, only the box itself takes its id back, which a renewed certificate lets it: it tells of itself.
		gone.resolve();
	});
	try {
		await connected.promise;
		await Promise.race([tellGone(client, {box: box as DeviceId, signal: limit}), gone.promise]);
		limit.throwIfAborted();
	} finally {
		limit.removeEventListener('abort', giveUp);
		await client.endAsync(!client.connected).catch(() => undefined);
	}
};

/**
 * In place of the box's will: section 3.1.3.2.2 has it sent when the session ends before its delay is over, but mosquitto
 * forgets it. What the broker retains names the session that has ended, which nobody can mistake for a later one.
 */
const tellGone = async (
	client: MqttClient,
	{box, signal}: {readonly box: DeviceId; readonly signal: AbortSignal},
): Promise<void> => {
	const topic = boxTopic(box, 'presence');
	const {promise, resolve} = Promise.withResolvers<Presence | undefined>();
	client.once('message', (_, payload) => resolve(presenceOf(parseIncoming({topic, payload}))));
	await client.subscribeAsync(topic, {qos: 1});
	const presence = await Promise.race([promise, sleep(quietMs, {signal})]);
	if (presence?.state === 'online') {
		await client.publishAsync(topic, JSON.stringify({...presence, state: 'offline'}), {qos: 1, retain: true});
	}
};

const presenceOf = (incoming: Incoming | undefined): Presence | undefined =>
	incoming?.kind === 'presence' ? incoming.presence : undefined;
