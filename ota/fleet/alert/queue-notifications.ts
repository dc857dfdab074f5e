import {randomUUID} from 'node:crypto';
import type {Logger} from '#appliance/log/logger.ts';
import {alertSeverities} from '#ota/contract/alert-api.ts';
import type {AlertRow} from '#ota/fleet/alert/apply-findings.ts';
import {readMuted} from '#ota/fleet/alert/mute.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** More alerts than this at once go out as one message. */
export const singleMessagesMax = 10;
/** Of which it names so many. */
const namedMax = 50;
const rowsMax = 5000;
/** Waiting for one channel; one that is down for days is not flooded when it is back. */
const waitingMax = 500;

export type NotificationKind = 'raised' | 'cleared' | 'test';

/** Hands what was raised or cleared, and nobody was told of, to the channels. Muted, grouped and acknowledged is silent. */
export const queueNotifications = async (
	database: FleetDatabase,
	{nowMs, logger}: {readonly nowMs: number; readonly logger: Logger},
): Promise<void> => {
	const cleared = await database
		.selectFrom('alert')
		.selectAll()
		.where('state', '=', 'cleared')
		.where('notified', '=', 1)
		.limit(rowsMax)
		.execute();
	const audible = await readAudible(database, nowMs);
	await database.transaction().execute(async (transaction) => {
		const channels = await transaction.selectFrom('alert_channel').selectAll().execute();
		for (const [kind, alerts] of [
			['raised', audible],
			['cleared', cleared],
		] as const) {
			for (const channel of channels) {
				const wanted = alerts.filter(({severity}) => rank(severity) >= rank(channel.severity_min));
				const {count} = await transaction
					.selectFrom('alert_notification')
					.select(({fn}) => fn.countAll().as('count'))
					.where('channel_id', '=', channel.id)
					.executeTakeFirstOrThrow();
				const messages = messagesOf(kind, wanted, nowMs);
				const fitting = messages.slice(0, Math.max(0, waitingMax - Number(count)));
				if (fitting.length < messages.length) {
					logger.warn(
						{channel: channel.id, lost: messages.length - fitting.length},
						'too many notifications wait for a channel',
					);
				}
				for (const body of fitting) {
					const row = {id: randomUUID(), channel_id: channel.id, body, created_ms: nowMs, attempts: 0, next_ms: nowMs};
					await transaction.insertInto('alert_notification').values(row).execute();
				}
			}
			for (const ids of chunksOf(alerts.map(({id}) => id))) {
				await transaction
					.updateTable('alert')
					.set({notified: kind === 'raised' ? 1 : 2})
					.where('id', 'in', [...ids])
					.execute();
			}
		}
	});
};

/** Raised, and nobody was told. What is muted waits, however much it is, and holds nothing else up. */
const readAudible = async (database: FleetDatabase, nowMs: number): Promise<readonly AlertRow[]> => {
	for (let after: Pick<AlertRow, 'raised_ms' | 'id'> | undefined; ; ) {
		let query = database
			.selectFrom('alert')
			.selectAll()
			.where('state', '=', 'raised')
			.where('bad', '=', 1)
			.where('notified', '=', 0)
			.where('group_id', 'is', null)
			.where('acknowledged_ms', 'is', null);
		if (after !== undefined) {
			const {raised_ms: raisedMs, id} = after;
			query = query.where(({or, and, eb}) =>
				or([eb('raised_ms', '>', raisedMs), and([eb('raised_ms', '=', raisedMs), eb('id', '>', id)])]),
			);
		}
		const rows = await query.orderBy('raised_ms').orderBy('id').limit(rowsMax).execute();
		const isMuted = await readMuted(database, rows, nowMs);
		const audible = rows.filter((alert) => !isMuted(alert));
		after = rows.at(-1);
		if (audible.length > 0 || rows.length < rowsMax || after === undefined) {
			return audible;
		}
	}
};

const severities: readonly string[] = alertSeverities;
const rank = (severity: string): number => severities.indexOf(severity);

/** One message each, or one for all when they are many. */
const messagesOf = (kind: NotificationKind, alerts: readonly AlertRow[], nowMs: number): readonly string[] =>
	alerts.length > singleMessagesMax
		? [notificationOf(kind, alerts, nowMs)]
		: alerts.map((alert) => notificationOf(kind, [alert], nowMs));

export const notificationOf = (kind: NotificationKind, alerts: readonly AlertRow[], nowMs: number): string =>
	JSON.stringify({
		version: 1,
		kind,
		atMs: nowMs,
		total: alerts.length,
		alerts: alerts.slice(0, namedMax).map((alert) => ({
			id: alert.id,
			rule: alert.rule,
			severity: alert.severity,
			box: alert.box,
			site: alert.site,
			boxes: alert.boxes,
			message: alert.message,
			raisedMs: alert.raised_ms,
			clearedMs: alert.cleared_ms,
		})),
	});
