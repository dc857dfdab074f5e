import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {type Acknowledged, acknowledgedSchema} from '#appliance/contract/fleet/spool-schema.ts';
import {parseTopic, payloadBytesMax} from '#appliance/contract/fleet/topic.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {MqttErrorCode} from '#appliance/mqtt/error-code.ts';
import type {IncomingMessage} from '#appliance/mqtt/open-connection.ts';

/** Who takes which topic. Each parses its own payload, and is not let down by any. */
export type MessageTakers = {
	readonly desired: (payload: string) => Promise<void>;
	readonly acknowledged: (message: Acknowledged) => void;
	readonly command: (name: string, payload: string) => Promise<void>;
	readonly stream: (streamId: string, payload: string) => void;
};

/** Hands each message to whom it is for. Whatever a broker sends, the worst is a line in the log. */
export const createMessageRouter = (options: {
	readonly deviceId: DeviceId;
	readonly logger: Logger;
	readonly takers: MessageTakers;
}): ((message: IncomingMessage) => Promise<void>) => {
	const {deviceId, logger, takers} = options;
	const drop = (topic: string, why: string): void => {
		const code: MqttErrorCode = 'MQTT_PAYLOAD_MALFORMED';
		logger.debug({code, topic: topic.slice(0, 128), why}, 'a message was dropped');
	};
	return async ({topic, payload}) => {
		const parsed = parseTopic(topic);
		if (parsed?.deviceId !== deviceId) {
			drop(topic, 'not of this box');
			return;
		}
		const text = payload.length > payloadBytesMax ? undefined : textOf(payload);
		if (text === undefined) {
			drop(topic, 'too large, or not UTF-8');
			return;
		}
		const [first, second = '', third] = parsed.levels;
		switch (`${first} ${parsed.levels.length}`) {
			case 'desired 1':
				await takers.desired(text);
				return;
			case 'acknowledged 1': {
				const message = parseAcknowledged(text);
				if (message === undefined) {
					drop(topic, 'not an acknowledgement');
				} else {
					takers.acknowledged(message);
				}
				return;
			}
			case 'command 2':
				await takers.command(second, text);
				return;
			case 'stream 3':
				if (third === 'in') {
					takers.stream(second, text);
				}
				return;
			default:
				drop(topic, 'no such topic');
		}
	};
};

const textOf = (payload: Buffer): string | undefined => {
	try {
		return new TextDecoder('utf8', {fatal: true}).decode(payload);
	} catch {
		return undefined;
	}
};

const parseAcknowledged = (text: string): Acknowledged | undefined => {
	try {
		return acknowledgedSchema.parse(JSON.parse(text));
	} catch {
		return undefined;
	}
};
