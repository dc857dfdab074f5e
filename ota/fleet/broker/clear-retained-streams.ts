import {once} from 'node:events';
import {connectAsync, type IPublishPacket, type MqttClient} from 'mqtt';
import {parseTopic, topicRoot} from '#appliance/contract/fleet/topic.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {BrokerCredentials} from '#ota/fleet/server/connect-broker.ts';

const connectTimeoutMs = 10_000;
const sweepTimeoutMs = 20_000;
/** What is retained comes at once with the subscription: after so long without any, it was all. */
const quietMs = 500;
/** Of one sweep; the next one takes the rest. */
export const clearedMax = 20_000;
const receiveMaximum = 500;

/**
 * Takes out of the broker what boxes have left on the topics of their streams, and answers how much of whom. A stream is
 * live: nothing of it may be retained, but a broker whose access rules are all that guards it cannot say so of a topic, and
 * a box makes up the names of its streams, so that it could fill the broker's memory for everybody. Our own mosquitto has
 * a guard that refuses such a message (native/broker); a broker that somebody else runs may have none. The connection is
 * one of its own: on that of the server, what is said on a stream meanwhile would come twice.
 */
export const clearRetainedStreams = async (options: {
	readonly serverUrl: string;
	readonly credentials: BrokerCredentials | undefined;
	readonly signal: AbortSignal;
}): Promise<ReadonlyMap<string, number>> => {
	const {serverUrl, credentials, signal} = options;
	const limit = AbortSignal.any([signal, AbortSignal.timeout(sweepTimeoutMs)]);
	const client = await connectAsync(
		serverUrl,
		{
			protocolVersion: 5,
			clean: true,
			reconnectPeriod: 0,
			connectTimeout: connectTimeoutMs,
			properties: {receiveMaximum, sessionExpiryInterval: 0},
			...(credentials === undefined
				? {}
				: {ca: credentials.caPem, cert: credentials.certificatePem, key: credentials.keyPem}),
		},
		false,
	);
	const cleared = new Map<string, number>();
	const clearing: Promise<void>[] = [];
	client.on('error', () => undefined);
	client.handleMessage = (packet, done) => {
		if (packet.retain && clearing.length < clearedMax) {
			// Not waited for here: the broker's answer would stand behind this very message.
			clearing.push(clear(client, packet, cleared));
		}
		done();
	};
	try {
		await client.subscribeAsync(`${topicRoot}/+/stream/+/out`, {qos: 1, rap: false, rh: 0});
		for (let before = -1; client.connected && clearing.length > before && clearing.length < clearedMax; ) {
			before = clearing.length;
			await sleep(quietMs, {signal: limit});
		}
		await Promise.race([Promise.all(clearing), once(limit, 'abort')]);
	} finally {
		await client.endAsync(limit.aborted || !client.connected).catch(() => undefined);
	}
	return cleared;
};

/** An empty retained message is the end of the one before (MQTT 5 section 3.3.1.3). */
const clear = async (client: MqttClient, {topic}: IPublishPacket, cleared: Map<string, number>): Promise<void> => {
	const box = parseTopic(topic)?.deviceId;
	if (box !== undefined) {
		await client.publishAsync(topic, '', {qos: 1, retain: true}).then(
			() => cleared.set(box, (cleared.get(box) ?? 0) + 1),
			() => undefined,
		);
	}
};
