import {randomUUID} from 'node:crypto';
import type {Selectable} from 'kysely';
import {idParametersSchema} from '#ota/contract/account-api.ts';
import {
	type AlertChannel,
	alertChannelCreatedSchema,
	alertChannelCreateSchema,
	alertChannelPageSchema,
	alertChannelSchema,
} from '#ota/contract/alert-api.ts';
import {makeSecret} from '#ota/fleet/account/secret.ts';
import {alertError} from '#ota/fleet/alert/alert-error.ts';
import {channelTargetSchema} from '#ota/fleet/alert/deliver-notifications.ts';
import {notificationOf} from '#ota/fleet/alert/queue-notifications.ts';
import {sendNotification} from '#ota/fleet/alert/send-notification.ts';
import type {SmtpSettings} from '#ota/fleet/alert/smtp-settings.ts';
import {notFound} from '#ota/fleet/api/api-error.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import type {FleetContext} from '#ota/fleet/fleet-part.ts';
import type {AlertChannelTable} from '#ota/fleet/store/alert-tables.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

const channelsMax = 50;
const shared = {tag: 'alerts', role: 'admin'} as const;

export const createChannelEndpoints = (
	{store: {database}, clock}: FleetContext,
	{smtp}: {readonly smtp: SmtpSettings | undefined},
): readonly AnyEndpoint[] => [
	endpoint({
		...shared,
		method: 'GET',
		path: '/alert-channels',
		operationId: 'listAlertChannels',
		summary: 'Where alerts go',
		answer: alertChannelPageSchema,
		handle: async () => ({body: {items: await listChannels(database)}}),
	}),
	endpoint({
		...shared,
		method: 'POST',
		path: '/alert-channels',
		operationId: 'createAlertChannel',
		summary: 'Send alerts to a webhook or by e-mail; a webhook’s secret is shown this once',
		body: alertChannelCreateSchema,
		answer: alertChannelCreatedSchema,
		handle: async ({body: {name, severityMin, target}}) => {
			if (target.kind === 'email' && smtp === undefined) {
				throw alertError('OTA_ALERT_NO_MAIL_SERVER', {
					status: 409,
					message: 'The fleet server knows no mail server: name one in its configuration (smtp).',
				});
			}
			const channels = await listChannels(database);
			if (channels.length >= channelsMax) {
				throw alertError('OTA_ALERT_CHANNELS_TOO_MANY', {status: 409, message: `There are ${channelsMax} already.`});
			}
			const row = {
				id: randomUUID(),
				name,
				severity_min: severityMin,
				target: JSON.stringify(target),
				secret: target.kind === 'webhook' ? makeSecret() : null,
				created_ms: clock.nowMs(),
				last_sent_ms: null,
				last_error: null,
			};
			await database.insertInto('alert_channel').values(row).execute();
			return {status: 201, body: {channel: toChannel(row, 0), secret: row.secret}};
		},
	}),
	endpoint({
		...shared,
		method: 'DELETE',
		path: '/alert-channels/{id}',
		operationId: 'deleteAlertChannel',
		summary: 'Send no more there',
		parameters: idParametersSchema,
		handle: async ({parameters: {id}}) => {
			const {numDeletedRows} = await database.deleteFrom('alert_channel').where('id', '=', id).executeTakeFirst();
			if (numDeletedRows === 0n) {
				throw notFound('channel');
			}
			return {status: 204};
		},
	}),
	endpoint({
		...shared,
		method: 'POST',
		path: '/alert-channels/{id}/test',
		operationId: 'testAlertChannel',
		summary: 'Send a test now, and say whether it was taken',
		parameters: idParametersSchema,
		handle: async ({parameters: {id}, signal}) => {
			const row = await database.selectFrom('alert_channel').selectAll().where('id', '=', id).executeTakeFirst();
			if (row === undefined) {
				throw notFound('channel');
			}
			const nowMs = clock.nowMs();
			await sendNotification({
				target: channelTargetSchema.parse(JSON.parse(row.target)),
				secret: row.secret,
				body: notificationOf('test', [], nowMs),
				notificationId: randomUUID(),
				smtp,
				nowMs,
				signal,
			});
			return {status: 204};
		},
	}),
];

const listChannels = async (database: FleetDatabase): Promise<AlertChannel[]> => {
	const rows = await database.selectFrom('alert_channel').selectAll().orderBy('created_ms').orderBy('id').execute();
	const waiting = await database
		.selectFrom('alert_notification')
		.select(({fn}) => ['channel_id', fn.countAll().as('count')])
		.groupBy('channel_id')
		.execute();
	const counts = new Map(waiting.map((row) => [row.channel_id, Number(row.count)]));
	return rows.map((row) => toChannel(row, counts.get(row.id) ?? 0));
};

const toChannel = (row: Selectable<AlertChannelTable>, waiting: number): AlertChannel =>
	alertChannelSchema.parse({
		id: row.id,
		name: row.name,
		severityMin: row.severity_min,
		target: JSON.parse(row.target),
		createdMs: row.created_ms,
		lastSentMs: row.last_sent_ms,
		lastError: row.last_error,
		waiting,
	});
