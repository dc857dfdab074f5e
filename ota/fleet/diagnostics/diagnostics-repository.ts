import {z} from 'zod';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {type Reason, reasonSchema} from '#appliance/contract/fleet/release-schema.ts';
import {type DiagnosticsItem, diagnosticsItemSchema} from '#ota/contract/diagnostics-api.ts';
import {decodeCursor, pageOfRows} from '#ota/fleet/api/page-cursor.ts';
import type {DiagnosticsItemTable} from '#ota/fleet/store/diagnostics-tables.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

const cursorSchema = z.tuple([z.int(), z.string()]);

export type DiagnosticsRow = DiagnosticsItemTable;

export const itemOf = (row: DiagnosticsRow): DiagnosticsItem =>
	diagnosticsItemSchema.parse({
		...{id: row.id, box: row.box, kind: row.kind, state: row.state, actor: row.actor, fileName: row.file_name},
		...{createdMs: row.created_ms, readyMs: row.ready_ms, sizeBytes: row.size_bytes, expiresMs: row.expires_ms},
		error: row.error === null ? null : reasonSchema.parse(JSON.parse(row.error)),
	});

export const insertItem = async (database: FleetDatabase, row: DiagnosticsRow): Promise<void> => {
	await database.insertInto('diagnostics_item').values(row).execute();
};

export const findItem = async (database: FleetDatabase, id: string): Promise<DiagnosticsRow | undefined> =>
	await database.selectFrom('diagnostics_item').selectAll().where('id', '=', id).executeTakeFirst();

export const listItems = async (
	database: FleetDatabase,
	query: {
		readonly box?: DeviceId | undefined;
		readonly kind?: string | undefined;
		readonly cursor?: string | undefined;
		readonly limit: number;
	},
): Promise<{items: DiagnosticsItem[]; nextCursor?: string}> => {
	const after = decodeCursor(query.cursor, cursorSchema);
	let select = database.selectFrom('diagnostics_item').selectAll();
	if (query.box !== undefined) {
		select = select.where('box', '=', query.box);
	}
	if (query.kind !== undefined) {
		select = select.where('kind', '=', query.kind);
	}
	if (after !== undefined) {
		const [createdMs, id] = after;
		select = select.where((where) =>
			where.or([
				where('created_ms', '<', createdMs),
				where.and([where('created_ms', '=', createdMs), where('id', '<', id)]),
			]),
		);
	}
	const rows = await select
		.orderBy('created_ms', 'desc')
		.orderBy('id', 'desc')
		.limit(query.limit + 1)
		.execute();
	return pageOfRows(rows, {limit: query.limit, toItem: itemOf, cursorOf: (row) => [row.created_ms, row.id]});
};

/** What a box's items take, but for one that is being written. */
export const bytesOfBox = async (database: FleetDatabase, box: string, exceptId: string): Promise<number> => {
	const row = await database
		.selectFrom('diagnostics_item')
		.select(({fn}) => fn.sum<number | string | null>('size_bytes').as('bytes'))
		.where('box', '=', box)
		.where('id', '!=', exceptId)
		.executeTakeFirst();
	return Number(row?.bytes ?? 0);
};

export const countAwaited = async (database: FleetDatabase, box: string): Promise<number> => {
	const row = await database
		.selectFrom('diagnostics_item')
		.select(({fn}) => fn.countAll<number | string>().as('count'))
		.where('box', '=', box)
		.where('kind', '!=', 'recording')
		.where('state', 'in', ['requested', 'receiving'])
		.executeTakeFirst();
	return Number(row?.count ?? 0);
};

export const noteReceived = async (database: FleetDatabase, id: string, sizeBytes: number): Promise<void> => {
	await database
		.updateTable('diagnostics_item')
		.set({state: 'receiving', size_bytes: sizeBytes})
		.where('id', '=', id)
		// Another server may have gone on meanwhile.
		.where('size_bytes', '<=', sizeBytes)
		.where('state', 'in', ['requested', 'receiving'])
		.execute();
};

export const noteReady = async (
	database: FleetDatabase,
	{id, sizeBytes, nowMs}: {readonly id: string; readonly sizeBytes: number; readonly nowMs: number},
): Promise<void> => {
	await database
		.updateTable('diagnostics_item')
		.set({state: 'ready', size_bytes: sizeBytes, ready_ms: nowMs, error: null})
		.where('id', '=', id)
		.execute();
};

/** Only of what has not come: a late failure takes nothing away. Answers whether it counted. */
export const noteFailed = async (database: FleetDatabase, id: string, error: Reason): Promise<boolean> => {
	const result = await database
		.updateTable('diagnostics_item')
		.set({state: 'failed', error: JSON.stringify(error)})
		.where('id', '=', id)
		.where('state', 'in', ['requested', 'receiving'])
		.executeTakeFirst();
	return result.numUpdatedRows > 0n;
};

/** What did not come in time, and what has been kept long enough. */
export const listOverdue = async (database: FleetDatabase, nowMs: number): Promise<readonly DiagnosticsRow[]> =>
	await database
		.selectFrom('diagnostics_item')
		.selectAll()
		.where('state', 'in', ['requested', 'receiving'])
		.where('deadline_ms', '<', nowMs)
		.limit(500)
		.execute();

export const listExpired = async (database: FleetDatabase, nowMs: number): Promise<readonly DiagnosticsRow[]> =>
	await database.selectFrom('diagnostics_item').selectAll().where('expires_ms', '<', nowMs).limit(500).execute();

/** Ready ones of a box, the oldest first: what gives way to newer ones. Recordings are the audit's. */
export const listEvictable = async (database: FleetDatabase, box: string): Promise<readonly DiagnosticsRow[]> =>
	await database
		.selectFrom('diagnostics_item')
		.selectAll()
		.where('box', '=', box)
		.where('kind', '!=', 'recording')
		.where('state', 'in', ['ready', 'failed'])
		.orderBy('created_ms')
		.execute();

export const deleteItem = async (database: FleetDatabase, id: string): Promise<void> => {
	await database.deleteFrom('diagnostics_item').where('id', '=', id).execute();
};
