import type {IngestBatch} from '#ota/fleet/fleet-part.ts';
import type {Incoming} from '#ota/fleet/ingest/incoming.ts';
import type {FleetTransaction} from '#ota/fleet/ingest/ingest-store.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';

/** The tables that only grow, the last report of each box, and what was malformed. */
export const writeRecords = async (
	transaction: FleetTransaction,
	options: {
		readonly batch: IngestBatch;
		readonly malformed: readonly Extract<Incoming, {kind: 'malformed'}>[];
		readonly nowMs: number;
	},
): Promise<void> => {
	const {batch, malformed, nowMs} = options;
	await writeTelemetry(transaction, batch);
	await writeEvents(transaction, batch, nowMs);
	await writeReports(transaction, batch);
	await writeFirstDesired(transaction, batch);
	for (const {box, topic, reason} of malformed) {
		const row = {box, topic, reason, last_ms: nowMs, count: 1};
		await transaction
			.insertInto('malformed')
			.values(row)
			.onConflict((conflict) =>
				conflict
					.columns(['box', 'topic'])
					.doUpdateSet((set) => ({reason: row.reason, last_ms: nowMs, count: set('malformed.count', '+', 1)})),
			)
			.execute();
	}
};

const writeTelemetry = async (transaction: FleetTransaction, batch: IngestBatch): Promise<void> => {
	const rows = batch.telemetry.flatMap(({box, telemetry}) =>
		telemetry.samples.map(({atMs, values}) => ({box, at_ms: atMs, metrics: JSON.stringify(values)})),
	);
	for (const chunk of chunksOf(rows, 3)) {
		await transaction
			.insertInto('telemetry')
			.values([...chunk])
			.onConflict((conflict) => conflict.columns(['box', 'at_ms']).doNothing())
			.execute();
	}
};

const writeEvents = async (transaction: FleetTransaction, batch: IngestBatch, nowMs: number): Promise<void> => {
	const rows = batch.events.map(({box, event}) => ({
		box,
		epoch: event.epoch,
		sequence: event.sequence,
		at_ms: event.atMs,
		received_ms: nowMs,
		severity: event.severity,
		kind: event.event.kind,
		data: JSON.stringify(event.event.data),
	}));
	for (const chunk of chunksOf(rows, 8)) {
		await transaction
			.insertInto('box_event')
			.values([...chunk])
			.onConflict((conflict) => conflict.columns(['box', 'epoch', 'sequence']).doNothing())
			.execute();
	}
};

const writeReports = async (transaction: FleetTransaction, batch: IngestBatch): Promise<void> => {
	// One statement must not change a row twice (PostgreSQL refuses): the last report of each box counts.
	const last = new Map(batch.reported.map(({box, reported}) => [box, reported]));
	const rows = [...last].map(([box, reported]) => ({box, reported: JSON.stringify(reported)}));
	for (const chunk of chunksOf(rows, 2)) {
		await transaction
			.insertInto('box_report')
			.values([...chunk])
			.onConflict((conflict) => conflict.column('box').doUpdateSet((set) => ({reported: set.ref('excluded.reported')})))
			.execute();
	}
};

/** A box that is there for the first time is told what is wanted of it, be it nothing: with it comes the key chain. */
const writeFirstDesired = async (transaction: FleetTransaction, batch: IngestBatch): Promise<void> => {
	const ids = [...new Set(batch.presence.filter(({presence}) => presence.state === 'online').map(({box}) => box))];
	for (const chunk of chunksOf(ids, 1)) {
		await transaction
			.insertInto('desired')
			.values(chunk.map((box) => ({box})))
			.onConflict((conflict) => conflict.column('box').doNothing())
			.execute();
	}
};
