import {readFile} from 'node:fs/promises';
import {isIP} from 'node:net';
import {ProduceAcks, Producer, type ProducerOptions} from '@platformatic/kafka';
import {kafkaError, kafkaFileError} from '#ota/fleet/bridge/kafka-error.ts';
import type {KafkaSettings} from '#ota/fleet/bridge/kafka-settings.ts';
import type {OutboxRow} from '#ota/fleet/bridge/outbox.ts';

/** How long the brokers may take for one request, and for a whole batch with all that it needs. */
const requestTimeoutMs = 10_000;
const sendTimeoutMs = 30_000;

/** Sends batches in order. After a failure it is of no use: make another, whose sequence numbers begin anew. */
export type KafkaProducer = AsyncDisposable & {
	readonly send: (rows: readonly OutboxRow[], options: {readonly signal: AbortSignal}) => Promise<void>;
};

/** Idempotent (KIP-98): what a broker took before its answer was lost is not written twice by the same producer. */
export const createKafkaProducer = async (settings: KafkaSettings): Promise<KafkaProducer> => {
	const producer = new Producer<string, string, string, string>(await optionsOf(settings));
	const unreachable = abortWhenUnreachable(producer, settings.brokers.length);
	return {
		send: async (rows, {signal}) => {
			const sending = producer.send({messages: rows.map(messageOf), acks: ProduceAcks.ALL});
			try {
				const given = AbortSignal.any([signal, unreachable, AbortSignal.timeout(sendTimeoutMs)]);
				await Promise.race([sending, rejectWhen(given)]);
			} catch (error) {
				sending.catch(() => undefined);
				throw kafkaError(error);
			}
		},
		[Symbol.asyncDispose]: async () => {
			// By force: what is in flight after a failure may never be answered.
			await producer.close(true).catch(() => undefined);
		},
	};
};

/**
 * The client connects again and again whatever its `retries`, and says nothing of why it could not. Once as many attempts
 * failed in a row as there are brokers, none of which was reached, their errors are the reason.
 */
const abortWhenUnreachable = (
	producer: Producer<string, string, string, string>,
	brokersCount: number,
): AbortSignal => {
	const unreachable = new AbortController();
	let errors: Error[] = [];
	producer.connections.on('connect', () => {
		errors = [];
	});
	producer.connections.on('connecting', ({connection}) => {
		connection.once('error', (error: Error) => {
			errors.push(error);
			if (errors.length >= brokersCount) {
				unreachable.abort(new AggregateError(errors, 'No broker could be reached.'));
			}
		});
	});
	return unreachable.signal;
};

const rejectWhen = (signal: AbortSignal): Promise<never> =>
	new Promise((_resolve, reject) => {
		if (signal.aborted) {
			reject(signal.reason);
		}
		signal.addEventListener('abort', () => reject(signal.reason), {once: true});
	});

const messageOf = (row: OutboxRow) => ({
	topic: row.topic,
	key: row.box,
	value: row.payload,
	timestamp: BigInt(row.at_ms),
	headers: {'message-id': row.message_id},
});

const text = (data: string | undefined): Buffer | undefined => (data === undefined ? undefined : Buffer.from(data));

const optionsOf = async ({
	brokers,
	tls,
	sasl,
}: KafkaSettings): Promise<ProducerOptions<string, string, string, string>> => ({
	clientId: 'streamverse-fleet',
	bootstrapBrokers: brokers,
	idempotent: true,
	// "None yet" (KIP-360); the client's own default, 0, names a producer that the broker does not know.
	producerId: -1n,
	producerEpoch: -1,
	acks: ProduceAcks.ALL,
	autocreateTopics: true,
	timeout: requestTimeoutMs,
	requestTimeout: requestTimeoutMs,
	connectTimeout: requestTimeoutMs,
	// Retries are the outbox's: it knows the order, and waits longer each time.
	retries: 1,
	serializers: {key: text, value: text, headerKey: text, headerValue: text},
	...(tls === undefined
		? {}
		: {
				tls: {
					ca: await readPem('caFile', tls.caFile),
					cert: await readPem('certificateFile', tls.certificateFile),
					key: await readPem('keyFile', tls.keyFile),
				},
				// Brokers behind one address are told apart by it (SNI); an address is no name (RFC 6066 section 3).
				tlsServerName: !brokers.some((broker) => isIP(broker.replace(/:\d+$/u, '').replace(/^\[|\]$/gu, ''))),
			}),
	...(sasl === undefined ? {} : {sasl}),
});

const readPem = async (key: string, filePath: string | undefined): Promise<Buffer | undefined> => {
	try {
		return filePath === undefined ? undefined : await readFile(filePath);
	} catch (error) {
		throw kafkaFileError(key, error);
	}
};
