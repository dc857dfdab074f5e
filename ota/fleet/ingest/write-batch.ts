import type {Clock} from '#appliance/time/clock.ts';
import type {FleetPart, IngestBatch} from '#ota/fleet/fleet-part.ts';
import type {SpoolPosition} from '#ota/fleet/ingest/advance-spool.ts';
import type {BoxRow} from '#ota/fleet/ingest/apply-to-box.ts';
import {boxHealth} from '#ota/fleet/ingest/box-health.ts';
import type {Incoming} from '#ota/fleet/ingest/incoming.ts';
import {
	type FleetTransaction,
	readBoxes,
	readSpools,
	touchBoxes,
	writeBoxes,
	writeSpools,
} from '#ota/fleet/ingest/ingest-store.ts';
import {type Sifted, siftBatch} from '#ota/fleet/ingest/sift-batch.ts';
import {writeAlarms} from '#ota/fleet/ingest/write-alarms.ts';
import {writeRecords} from '#ota/fleet/ingest/write-records.ts';
import type {OpenFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';

export type IngestContext = {
	readonly store: OpenFleetDatabase;
	readonly clock: Clock;
	readonly parts: readonly Pick<FleetPart, 'writeIngest'>[];
};

export type Written = {
	readonly batch: IngestBatch;
	/** What each box may forget. */
	readonly positions: ReadonlyMap<string, SpoolPosition>;
	/** Boxes whose row reads differently now. */
	readonly changed: readonly string[];
	readonly counts: Sifted['counts'] & {readonly malformed: number};
};

/** One transaction: what is new goes into the tables, and into those of the parts, or nothing does. */
export const writeBatch = (context: IngestContext, messages: readonly Incoming[]): Promise<Written> =>
	context.store.database.transaction().execute(async (transaction) => {
		const nowMs = context.clock.nowMs();
		const ids = [...new Set(messages.map(({box}) => box))].sort();
		const boxes = await readBoxes(transaction, {engine: context.store.engine, ids});
		const spools = await readSpools(transaction, [...boxes.keys()]);
		const sifted = siftBatch({messages, boxes, spools, nowMs});
		const {batch, malformed, counts} = sifted;
		await writeRecords(transaction, {batch, malformed, nowMs});
		const changed = await writeAlarms(transaction, {batch, boxes, changed: sifted.changed});
		await writeRows(transaction, {boxes, changed, nowMs});
		await writeSpools(transaction, sifted.spools);
		for (const part of context.parts) {
			await part.writeIngest?.(transaction, batch);
		}
		return {
			batch,
			positions: positionsOf(sifted),
			changed: [...changed.keys()],
			counts: {...counts, malformed: malformed.length},
		};
	});

const writeRows = async (
	transaction: FleetTransaction,
	options: {
		readonly boxes: ReadonlyMap<string, BoxRow>;
		readonly changed: ReadonlyMap<string, BoxRow>;
		readonly nowMs: number;
	},
): Promise<void> => {
	const {boxes, changed, nowMs} = options;
	const rows = [...changed.values()].map((row) => ({
		...row,
		last_seen_ms: nowMs,
		health: boxHealth({report: row.report_health, alarm: row.alarm_health, presence: row.presence}),
	}));
	await writeBoxes(transaction, {boxes, rows});
	await touchBoxes(transaction, {ids: [...boxes.keys()].filter((id) => !changed.has(id)), nowMs});
};

const positionsOf = ({spools}: Sifted): ReadonlyMap<string, SpoolPosition> =>
	new Map(
		[...spools].flatMap(([box, {after}]) => (after.position === undefined ? [] : [[box, after.position] as const])),
	);
