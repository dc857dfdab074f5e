import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {boxMessagesOf} from '#ota/fleet/bridge/box-message.ts';
import {createKafkaProducer, type KafkaProducer} from '#ota/fleet/bridge/kafka-producer.ts';
import type {KafkaSettings} from '#ota/fleet/bridge/kafka-settings.ts';
import {
	appendToOutbox,
	dropOldestTelemetry,
	measureOutbox,
	readOutbox,
	removeFromOutbox,
} from '#ota/fleet/bridge/outbox.ts';
import type {FleetContext, FleetPart} from '#ota/fleet/fleet-part.ts';
import type {Leases} from '#ota/fleet/server/leases.ts';

/** Of one request to Kafka. */
const batchRowsMax = 500;
const batchBytesMax = 512 * 1024;
const idleMs = 500;
const measureEveryMs = 10_000;
const retry = {initialMs: 250, maxMs: 30_000};
/** How far it is emptied once it is full, so that it is not trimmed at every row. */
const trimmedShare = 0.9;

export type BridgeOptions = {
	readonly settings: KafkaSettings;
	readonly leases: Pick<Leases, 'withLease'>;
};

/**
 * What boxes send, to Kafka: written down with the batch, sent in order by whichever server holds the lease, removed
 * when all replicas have it. At least once; the message id in the header tells what came twice.
 */
export const createBridgePart = (context: FleetContext, options: BridgeOptions): FleetPart => ({
	writeIngest: (transaction, batch) => appendToOutbox(transaction, boxMessagesOf(batch), context.clock.nowMs()),
	start: () => {
		const stop = new AbortController();
		const signal = AbortSignal.any([context.signal, stop.signal]);
		const working = options.leases.withLease(
			'bridge',
			async (held) => {
				await Promise.all([drainOutbox(context, options, held.signal), keepBounded(context, options, held.signal)]);
			},
			{signal},
		);
		return Promise.resolve({
			[Symbol.asyncDispose]: async () => {
				stop.abort();
				await working;
			},
		});
	},
});

/** Ends with the signal. */
const drainOutbox = async (
	{store: {database}, logger}: FleetContext,
	{settings}: BridgeOptions,
	signal: AbortSignal,
): Promise<void> => {
	let producer: KafkaProducer | undefined;
	let failures = 0;
	while (!signal.aborted) {
		try {
			const rows = await readOutbox(database, {rowsMax: batchRowsMax, bytesMax: batchBytesMax});
			if (rows.length === 0) {
				await sleep(idleMs, {signal});
				continue;
			}
			producer ??= await createKafkaProducer(settings);
			await producer.send(rows, {signal});
			await removeFromOutbox(
				database,
				rows.map(({id}) => id),
			);
			if (failures > 0) {
				logger.info({failures}, 'Kafka takes records again');
			}
			failures = 0;
		} catch (error) {
			await producer?.[Symbol.asyncDispose]();
			producer = undefined;
			if (signal.aborted) {
				break;
			}
			logger[failures === 0 ? 'warn' : 'debug']({err: error, failures}, 'Kafka took no records; the outbox keeps them');
			await sleep(backoffMs(failures, retry), {signal}).catch(() => undefined);
			failures += 1;
		}
	}
	await producer?.[Symbol.asyncDispose]();
};

const keepBounded = async (
	{store: {database}, logger}: FleetContext,
	{settings}: BridgeOptions,
	signal: AbortSignal,
): Promise<void> => {
	while (!signal.aborted) {
		try {
			const {bytes} = await measureOutbox(database);
			if (bytes > settings.outboxBytesMax) {
				const droppedRows = await dropOldestTelemetry(database, bytes - settings.outboxBytesMax * trimmedShare);
				logger.error({bytes, droppedRows}, 'the outbox is full; its oldest telemetry was given up');
			}
		} catch (error) {
			logger.warn({err: error}, 'the outbox could not be measured');
		}
		await sleep(measureEveryMs, {signal}).catch(() => undefined);
	}
};
