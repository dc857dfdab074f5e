import {z} from 'zod';
import {type Alert, type alertQuerySchema, alertSchema} from '#ota/contract/alert-api.ts';
import type {AlertRow} from '#ota/fleet/alert/apply-findings.ts';
import {type IsMuted, readMuted} from '#ota/fleet/alert/mute.ts';
import {notFound} from '#ota/fleet/api/api-error.ts';
import {decodeCursor, pageOfRows} from '#ota/fleet/api/page-cursor.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

export type AlertQuery = z.output<typeof alertQuerySchema>;

/** Newest first. */
export const listAlerts = async (
	database: FleetDatabase,
	{query: asked, nowMs}: {readonly query: AlertQuery; readonly nowMs: number},
): Promise<{items: Alert[]; nextCursor?: string}> => {
	const {state, rule, severity, box, site, acknowledged, cursor, limit} = asked;
	const before = decodeCursor(cursor, z.tuple([z.int(), z.string()]));
	let query = database
		.selectFrom('alert')
		.selectAll()
		.where('state', 'in', state === 'all' ? ['raised', 'cleared'] : [state])
		.orderBy('raised_ms', 'desc')
		.orderBy('id', 'desc')
		.limit(limit + 1);
	for (const [column, value] of [
		['rule', rule],
		['severity', severity],
		['box', box],
		['site', site],
	] as const) {
		query = value === undefined ? query : query.where(column, '=', value);
	}
	if (acknowledged !== undefined) {
		query = query.where('acknowledged_ms', acknowledged === 'true' ? 'is not' : 'is', null);
	}
	if (before !== undefined) {
		const [raisedMs, id] = before;
		query = query.where(({or, and, eb}) =>
			or([eb('raised_ms', '<', raisedMs), and([eb('raised_ms', '=', raisedMs), eb('id', '<', id)])]),
		);
	}
	const rows = await query.execute();
	const isMuted = await readMuted(database, rows, nowMs);
	return pageOfRows(rows, {
		limit,
		toItem: (row) => toAlert(row, isMuted),
		cursorOf: (row) => [row.raised_ms, row.id],
	});
};

export const readAlert = async (
	database: FleetDatabase,
	{id, nowMs}: {readonly id: string; readonly nowMs: number},
): Promise<Alert> => {
	const row = await database
		.selectFrom('alert')
		.selectAll()
		.where('id', '=', id)
		.where('state', '!=', 'pending')
		.executeTakeFirst();
	if (row === undefined) {
		throw notFound('alert');
	}
	return toAlert(row, await readMuted(database, [row], nowMs));
};

/** Whoever was first is named. */
export const acknowledgeAlert = async (
	database: FleetDatabase,
	options: {readonly id: string; readonly by: string; readonly note: string; readonly nowMs: number},
): Promise<void> => {
	await database
		.updateTable('alert')
		.set({acknowledged_by: options.by, acknowledged_ms: options.nowMs, acknowledged_note: options.note})
		.where('id', '=', options.id)
		.where('state', '=', 'raised')
		.where('acknowledged_ms', 'is', null)
		.execute();
};

const toAlert = (row: AlertRow, isMuted: IsMuted): Alert =>
	alertSchema.parse({
		id: row.id,
		rule: row.rule,
		severity: row.severity,
		box: row.box,
		site: row.site,
		message: row.message,
		value: row.value,
		state: row.state,
		raisedMs: row.raised_ms,
		changedMs: row.changed_ms,
		clearedMs: row.state === 'cleared' ? row.cleared_ms : null,
		count: row.count,
		acknowledged:
			row.acknowledged_ms === null
				? null
				: {by: row.acknowledged_by ?? '', atMs: row.acknowledged_ms, note: row.acknowledged_note ?? ''},
		muted: isMuted(row),
		groupId: row.group_id,
		boxes: row.boxes,
	});
