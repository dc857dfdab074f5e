import type {MqttClient} from 'mqtt';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {MqttErrorCode} from '#appliance/mqtt/error-code.ts';
import {goodbyeTimeoutMs, publishesPendingMax, publishTimeoutMs, receiveMaximum} from '#appliance/mqtt/link-limits.ts';
import {sleep} from '#appliance/time/sleep.ts';

export type PublishOptions = {
	readonly retain?: boolean;
	readonly expirySeconds?: number;
	readonly correlationData?: string;
};

/** One live connection. What is published on it is lost with it: whoever publishes state or records does so again. */
export type Connection = {
	/** The broker had kept our session, and so what it holds for us. */
	readonly sessionPresent: boolean;
	readonly lost: AbortSignal;
	/** QoS 1; resolves when the broker has it, rejects with `MQTT_CONNECTION_LOST` or `MQTT_PUBLISH_TIMEOUT`. */
	readonly publish: (topic: string, payload: string, options?: PublishOptions) => Promise<void>;
	/** Says goodbye by DISCONNECT, so that the will is not sent, and ends within a deadline. */
	readonly end: () => Promise<void>;
	/** Breaks off; the broker sends the will. */
	readonly destroy: () => void;
};

export const createConnection = (options: {
	readonly client: MqttClient;
	readonly lost: AbortController;
	readonly connack: {readonly sessionPresent: boolean; readonly receiveMaximum: number};
	readonly logger: Logger;
}): Connection => {
	const {client, lost, connack, logger} = options;
	// MQTT 5 section 3.3.4: a broker that gets more unacknowledged messages than it said disconnects us.
	let free = Math.max(1, Math.min(receiveMaximum, connack.receiveMaximum));
	const waiting: (() => void)[] = [];
	const release = (): void => {
		const next = waiting.shift();
		if (next === undefined) {
			free += 1;
		} else {
			next();
		}
	};
	const acquire = async (): Promise<void> => {
		if (free > 0) {
			free -= 1;
			return;
		}
		if (waiting.length >= publishesPendingMax) {
			throw failure('MQTT_PUBLISH_TIMEOUT', 'Too much is waiting for the broker.');
		}
		const {promise, resolve} = Promise.withResolvers<void>();
		waiting.push(resolve);
		await promise;
	};
	const destroy = (): void => {
		client.end(true);
		lost.abort(failure('MQTT_CONNECTION_LOST', 'The connection was broken off.'));
	};
	lost.signal.addEventListener('abort', () => {
		for (const next of waiting.splice(0)) {
			next();
		}
	});
	return {
		sessionPresent: connack.sessionPresent,
		lost: lost.signal,
		publish: async (topic, payload, publishOptions = {}) => {
			await acquire();
			try {
				lost.signal.throwIfAborted();
				await acknowledged(client, {topic, payload, ...publishOptions}, lost.signal);
			} catch (error) {
				if (error instanceof CodedError && error.code === 'MQTT_PUBLISH_TIMEOUT') {
					logger.warn({topic}, 'the broker acknowledges nothing');
					destroy();
				}
				throw error;
			} finally {
				release();
			}
		},
		end: async () => {
			await Promise.race([client.endAsync(), sleep(goodbyeTimeoutMs)]).catch(() => undefined);
			destroy();
		},
		destroy,
	};
};

const failure = (code: MqttErrorCode, message: string): CodedError<MqttErrorCode> =>
	new CodedError(code, {message, retryable: true});

type Publication = PublishOptions & {readonly topic: string; readonly payload: string};

const acknowledged = (client: MqttClient, publication: Publication, lost: AbortSignal): Promise<void> => {
	const {promise, resolve, reject} = Promise.withResolvers<void>();
	const onLost = (): void => reject(lost.reason as Error);
	lost.addEventListener('abort', onLost, {once: true});
	const timer = setTimeout(
		() => reject(failure('MQTT_PUBLISH_TIMEOUT', 'The broker did not acknowledge in time.')),
		publishTimeoutMs,
	);
	const {topic, payload, retain = false, expirySeconds, correlationData} = publication;
	client.publish(
		topic,
		payload,
		{
			qos: 1,
			retain,
			properties: {
				contentType: 'application/json',
				payloadFormatIndicator: true,
				...(expirySeconds === undefined ? {} : {messageExpiryInterval: expirySeconds}),
				...(correlationData === undefined ? {} : {correlationData: Buffer.from(correlationData)}),
			},
		},
		(error) => (error ? reject(error) : resolve()),
	);
	return promise.finally(() => {
		clearTimeout(timer);
		lost.removeEventListener('abort', onLost);
	});
};
