import type {Transaction} from 'kysely';
import type {SpoolAhead, SpoolPosition} from '#ota/fleet/ingest/advance-spool.ts';
import type {BoxRow} from '#ota/fleet/ingest/apply-to-box.ts';
import type {SpoolTopic} from '#ota/fleet/ingest/incoming.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';

export type FleetTransaction = Transaction<FleetTables>;

/**
 * The boxes of a batch that are enrolled and not revoked. PostgreSQL locks them in the order of their ids, so that two
 * servers with messages of the same boxes take turns and never wait for each other.
 */
export const readBoxes = async (
	transaction: FleetTransaction,
	options: {readonly engine: DatabaseEngine; readonly ids: readonly string[]},
): Promise<Map<string, BoxRow>> => {
	const boxes = new Map<string, BoxRow>();
	for (const ids of chunksOf(options.ids)) {
		const query = transaction
			.selectFrom('box')
			.selectAll()
			.where('id', 'in', ids)
			.where('revoked_ms', 'is', null)
			.orderBy('id');
		for (const row of await (options.engine === 'postgres' ? query.forNoKeyUpdate() : query).execute()) {
			boxes.set(row.id, row);
		}
	}
	return boxes;
};

export type SpoolState = {readonly position: SpoolPosition | undefined; readonly ahead: SpoolAhead};

export const readSpools = async (
	transaction: FleetTransaction,
	boxes: readonly string[],
): Promise<Map<string, SpoolState>> => {
	const spools = new Map<string, SpoolState & {ahead: Record<SpoolTopic, Map<number, number>>}>();
	for (const ids of chunksOf(boxes)) {
		for (const {box, epoch, telemetry, event} of await transaction
			.selectFrom('spool_position')
			.selectAll()
			.where('box', 'in', ids)
			.execute()) {
			spools.set(box, {position: {epoch, telemetry, event}, ahead: {telemetry: new Map(), event: new Map()}});
		}
		for (const row of await transaction.selectFrom('spool_ahead').selectAll().where('box', 'in', ids).execute()) {
			const spool = spools.get(row.box);
			if (spool !== undefined && spool.position?.epoch === row.epoch && isSpoolTopic(row.topic)) {
				spool.ahead[row.topic].set(row.sequence, row.after_sequence);
			}
		}
	}
	return spools;
};

const isSpoolTopic = (topic: string): topic is SpoolTopic => topic === 'telemetry' || topic === 'event';

export const writeSpools = async (
	transaction: FleetTransaction,
	spools: ReadonlyMap<string, {readonly before: SpoolState | undefined; readonly after: SpoolState}>,
): Promise<void> => {
	const rows = [...spools].flatMap(([box, {after}]) =>
		after.position === undefined ? [] : [{box, ...after.position}],
	);
	for (const chunk of chunksOf(rows, 4)) {
		await transaction
			.insertInto('spool_position')
			.values([...chunk])
			.onConflict((conflict) =>
				conflict.column('box').doUpdateSet((set) => ({
					epoch: set.ref('excluded.epoch'),
					telemetry: set.ref('excluded.telemetry'),
					event: set.ref('excluded.event'),
				})),
			)
			.execute();
	}
	for (const [box, {before, after}] of spools) {
		if (aheadSize(before) + aheadSize(after) > 0) {
			await writeAhead(transaction, box, after);
		}
	}
};

const aheadSize = (state: SpoolState | undefined): number =>
	state === undefined ? 0 : state.ahead.telemetry.size + state.ahead.event.size;

const writeAhead = async (transaction: FleetTransaction, box: string, {position, ahead}: SpoolState): Promise<void> => {
	await transaction.deleteFrom('spool_ahead').where('box', '=', box).execute();
	const rows = (['telemetry', 'event'] as const).flatMap((topic) =>
		[...ahead[topic]].map(([sequence, after]) => ({
			box,
			topic,
			epoch: position?.epoch ?? '',
			sequence,
			after_sequence: after,
		})),
	);
	for (const chunk of chunksOf(rows, 5)) {
		await transaction
			.insertInto('spool_ahead')
			.values([...chunk])
			.execute();
	}
};

/** What a phase of an update changes; last, what every message does. */
const updateColumns = [
	...(['update_phase', 'update_order', 'update_release', 'update_release_key', 'update_reason'] as const),
	...(['update_since_ms', 'last_seen_ms'] as const),
];

/** Every column that messages change; what people change is left alone. */
const messageColumns = [
	...(['kind', 'model', 'serial', 'release', 'release_key', 'time_zone', 'reported_revision', 'desired_kept'] as const),
	...(['presence', 'presence_session', 'presence_ms', 'silent_ms'] as const),
	...(['health', 'report_health', 'alarm_health'] as const),
	...updateColumns,
];

type MessageColumn = (typeof messageColumns)[number];

const updateColumnNames: ReadonlySet<string> = new Set(updateColumns);

/** A phase of an update and nothing else, as nearly all that changes while a fleet updates. */
const isUpdateOnly = (before: BoxRow | undefined, after: BoxRow): boolean =>
	before !== undefined &&
	(Object.keys(after) as (keyof BoxRow)[]).every((name) => updateColumnNames.has(name) || before[name] === after[name]);

/** An engine writes every index of which a column is named, changed or not: of the nine, an update concerns two. */
export const writeBoxes = async (
	transaction: FleetTransaction,
	{boxes, rows}: {readonly boxes: ReadonlyMap<string, BoxRow>; readonly rows: readonly BoxRow[]},
): Promise<void> => {
	const {narrow = [], wide = []} = Object.groupBy(rows, (row) =>
		isUpdateOnly(boxes.get(row.id), row) ? 'narrow' : 'wide',
	);
	await writeColumns(transaction, {rows: narrow, columns: updateColumns});
	await writeColumns(transaction, {rows: wide, columns: messageColumns});
};

const writeColumns = async (
	transaction: FleetTransaction,
	{rows, columns}: {readonly rows: readonly BoxRow[]; readonly columns: readonly MessageColumn[]},
): Promise<void> => {
	// These three are there only because no row may be without them.
	const inserted = [...new Set([...(['id', 'kind', 'enrolled_ms'] as const), ...columns])];
	for (const chunk of chunksOf(rows, inserted.length)) {
		await transaction
			.insertInto('box')
			.values(chunk.map((row) => pick(row, inserted)))
			.onConflict((conflict) =>
				conflict
					.column('id')
					.doUpdateSet((set) => Object.fromEntries(columns.map((name) => [name, set.ref(`excluded.${name}`)]))),
			)
			.execute();
	}
};

const pick = <Name extends keyof BoxRow>(row: BoxRow, names: readonly Name[]): Pick<BoxRow, Name> =>
	Object.fromEntries(names.map((name) => [name, row[name]])) as Pick<BoxRow, Name>;

export const touchBoxes = async (
	transaction: FleetTransaction,
	options: {readonly ids: readonly string[]; readonly nowMs: number},
): Promise<void> => {
	for (const ids of chunksOf(options.ids)) {
		await transaction.updateTable('box').set({last_seen_ms: options.nowMs}).where('id', 'in', ids).execute();
	}
};
