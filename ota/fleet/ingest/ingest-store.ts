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

const updateColumns: ReadonlySet<string> = new Set<keyof BoxRow>([
	...(['update_phase', 'update_order', 'update_release', 'update_release_key', 'update_reason'] as const),
	...(['update_since_ms', 'last_seen_ms'] as const),
]);

/** A phase of an update and nothing else, as nearly all that changes while a fleet updates. */
const isUpdateOnly = (before: BoxRow | undefined, after: BoxRow): boolean =>
	before !== undefined &&
	(Object.keys(after) as (keyof BoxRow)[]).every((name) => updateColumns.has(name) || before[name] === after[name]);

/** Every column that messages change; what people change is left alone. */
export const writeBoxes = async (
	transaction: FleetTransaction,
	{boxes, rows}: {readonly boxes: ReadonlyMap<string, BoxRow>; readonly rows: readonly BoxRow[]},
): Promise<void> => {
	const {narrow = [], wide = []} = Object.groupBy(rows, (row) =>
		isUpdateOnly(boxes.get(row.id), row) ? 'narrow' : 'wide',
	);
	await writeUpdates(transaction, narrow);
	await writeWide(transaction, wide);
};

/** An engine writes every index of which a column is named, changed or not: of the nine here are two. */
const writeUpdates = async (transaction: FleetTransaction, rows: readonly BoxRow[]): Promise<void> => {
	const narrow = rows.map((row) => ({
		// The first three are there only because no row may be without them.
		...{id: row.id, kind: row.kind, enrolled_ms: row.enrolled_ms},
		last_seen_ms: row.last_seen_ms,
		update_phase: row.update_phase,
		update_order: row.update_order,
		update_release: row.update_release,
		update_release_key: row.update_release_key,
		update_reason: row.update_reason,
		update_since_ms: row.update_since_ms,
	}));
	for (const chunk of chunksOf(narrow, 10)) {
		await transaction
			.insertInto('box')
			.values([...chunk])
			.onConflict((conflict) =>
				conflict.column('id').doUpdateSet((set) => ({
					last_seen_ms: set.ref('excluded.last_seen_ms'),
					update_phase: set.ref('excluded.update_phase'),
					update_order: set.ref('excluded.update_order'),
					update_release: set.ref('excluded.update_release'),
					update_release_key: set.ref('excluded.update_release_key'),
					update_reason: set.ref('excluded.update_reason'),
					update_since_ms: set.ref('excluded.update_since_ms'),
				})),
			)
			.execute();
	}
};

const writeWide = async (transaction: FleetTransaction, rows: readonly BoxRow[]): Promise<void> => {
	for (const chunk of chunksOf(rows, 31)) {
		await transaction
			.insertInto('box')
			.values([...chunk])
			.onConflict((conflict) =>
				conflict.column('id').doUpdateSet((set) => ({
					kind: set.ref('excluded.kind'),
					model: set.ref('excluded.model'),
					serial: set.ref('excluded.serial'),
					release: set.ref('excluded.release'),
					release_key: set.ref('excluded.release_key'),
					presence: set.ref('excluded.presence'),
					presence_session: set.ref('excluded.presence_session'),
					presence_ms: set.ref('excluded.presence_ms'),
					last_seen_ms: set.ref('excluded.last_seen_ms'),
					silent_ms: set.ref('excluded.silent_ms'),
					health: set.ref('excluded.health'),
					report_health: set.ref('excluded.report_health'),
					alarm_health: set.ref('excluded.alarm_health'),
					update_phase: set.ref('excluded.update_phase'),
					update_order: set.ref('excluded.update_order'),
					update_release: set.ref('excluded.update_release'),
					update_release_key: set.ref('excluded.update_release_key'),
					update_reason: set.ref('excluded.update_reason'),
					update_since_ms: set.ref('excluded.update_since_ms'),
					time_zone: set.ref('excluded.time_zone'),
					reported_revision: set.ref('excluded.reported_revision'),
					desired_kept: set.ref('excluded.desired_kept'),
				})),
			)
			.execute();
	}
};

export const touchBoxes = async (
	transaction: FleetTransaction,
	options: {readonly ids: readonly string[]; readonly nowMs: number},
): Promise<void> => {
	for (const ids of chunksOf(options.ids)) {
		await transaction.updateTable('box').set({last_seen_ms: options.nowMs}).where('id', 'in', ids).execute();
	}
};
