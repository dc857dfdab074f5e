import {connect, type SecureContext, type TLSSocket} from 'node:tls';
import {generate, type IConnectPacket, type IPublishPacket, type Packet, parser} from 'mqtt-packet';

const mqtt5 = {protocolVersion: 5} as const;
const messageIdMax = 65_535;

export type LeanConnection = {
	/** QoS 1; the broker's PUBACK is only counted, because what counts is the fleet's acknowledgement. */
	readonly publish: (topic: string, payload: string, options?: {readonly retain?: boolean}) => void;
	readonly ping: () => void;
	/** As a power cut: no DISCONNECT, so that the broker publishes the will. */
	readonly cut: () => void;
};

export type LeanConnectionOptions = {
	readonly host: string;
	readonly port: number;
	readonly secureContext: SecureContext;
	readonly packet: Omit<IConnectPacket, 'cmd' | 'protocolId' | 'protocolVersion'>;
	readonly subscribe: readonly string[];
	/** CONNACK and SUBACK have come. */
	readonly onReady: (connection: LeanConnection) => void;
	readonly onPublish: (topic: string, payload: Buffer) => void;
	readonly onPuback: () => void;
	readonly onClosed: (error: Error | undefined) => void;
};

/**
 * One MQTT 5 connection over TLS with nothing but what a simulated box needs: no store, no timers, no event emitter of its
 * own, so that tens of thousands of them fit a process.
 */
export const openLeanConnection = (options: LeanConnectionOptions): LeanConnection => {
	const {host, port, secureContext, packet, subscribe, onReady, onPublish, onPuback, onClosed} = options;
	let failure: Error | undefined;
	let messageId = 1;
	const socket: TLSSocket = connect({host, port, secureContext, servername: 'localhost'});
	const send = (what: Packet): void => {
		if (socket.writable) {
			socket.write(generate(what, mqtt5));
		}
	};
	const nextId = (): number => {
		messageId = (messageId % messageIdMax) + 1;
		return messageId;
	};
	const connection: LeanConnection = {
		publish: (topic, payload, {retain = false} = {}) =>
			send({cmd: 'publish', qos: 1, dup: false, retain, topic, payload, messageId: nextId()}),
		ping: () => send({cmd: 'pingreq'}),
		cut: () => socket.destroy(),
	};
	const receive = (received: Packet): void => {
		switch (received.cmd) {
			case 'connack':
				if (received.reasonCode !== 0) {
					socket.destroy(new Error(`CONNACK ${received.reasonCode}`));
					return;
				}
				send({
					cmd: 'subscribe',
					messageId: nextId(),
					subscriptions: subscribe.map((topic) => ({topic, qos: 1, nl: false, rap: false, rh: 0})),
				});
				return;
			case 'suback':
				onReady(connection);
				return;
			case 'publish': {
				const {topic, payload, qos, messageId: id} = received as IPublishPacket;
				if (qos === 1 && id !== undefined) {
					send({cmd: 'puback', messageId: id});
				}
				onPublish(topic, Buffer.from(payload));
				return;
			}
			case 'puback':
				onPuback();
				return;
			default:
		}
	};
	const parse = parser(mqtt5);
	parse.on('packet', receive);
	parse.on('error', (error: Error) => socket.destroy(error));
	socket.setNoDelay(true);
	socket.on('secureConnect', () => send({cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, ...packet}));
	socket.on('data', (chunk) => void parse.parse(chunk));
	socket.on('error', (error) => {
		failure = error;
	});
	socket.on('close', () => onClosed(failure));
	return connection;
};
