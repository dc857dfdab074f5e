import {readFile} from 'node:fs/promises';
import {ProduceAcks, Producer, type ProducerOptions} from '@platformatic/kafka';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {KafkaSettings} from '#ota/fleet/bridge/kafka-settings.ts';
import type {OutboxRow} from '#ota/fleet/bridge/outbox.ts';

export type BridgeErrorCode = 'OTA_BRIDGE_KAFKA_FAILED';

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
	return {
		send: async (rows, {signal}) => {
			const sending = producer.send({messages: rows.map(messageOf), acks: ProduceAcks.ALL});
			try {
				await Promise.race([sending, rejectWhen(AbortSignal.any([signal, AbortSignal.timeout(sendTimeoutMs)]))]);
			} catch (error) {
				sending.catch(() => undefined);
				throw new CodedError<BridgeErrorCode>('OTA_BRIDGE_KAFKA_FAILED', {
					message: 'Kafka did not take a batch; it stays in the outbox and is sent again.',
					cause: error,
					retryable: true,
				});
			}
		},
		[Symbol.asyncDispose]: async () => {
			// By force: what is in flight after a failure may never be answered.
			await producer.close(true).catch(() => undefined);
		},
	};
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
					...(tls.caFile === undefined ? {} : {ca: await readFile(tls.caFile)}),
					...(tls.certificateFile === undefined ? {} : {cert: await readFile(tls.certificateFile)}),
					...(tls.keyFile === undefined ? {} : {key: await readFile(tls.keyFile)}),
				},
			}),
	...(sasl === undefined ? {} : {sasl}),
});
