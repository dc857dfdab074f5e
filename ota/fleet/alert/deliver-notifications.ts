import type {Selectable} from 'kysely';
import {errorMessage} from '#appliance/error/coded-error.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {alertChannelCreateSchema} from '#ota/contract/alert-api.ts';
import {sendNotification} from '#ota/fleet/alert/send-notification.ts';
import type {SmtpSettings} from '#ota/fleet/alert/smtp-settings.ts';
import type {FleetContext} from '#ota/fleet/fleet-part.ts';
import type {AlertChannelTable} from '#ota/fleet/store/alert-tables.ts';

export const channelTargetSchema = alertChannelCreateSchema.shape.target;

/** Five seconds at first, half an hour at last: about a day in all. */
const retry = {initialMs: 5000, maxMs: 30 * 60_000};
const attemptsMax = 55;
/** Per channel and round. */
const roundMax = 20;

/** Sends what is due, channel by channel at the same time: one that hangs keeps no other waiting. */
export const deliverNotifications = async (
	context: FleetContext,
	{smtp, signal}: {readonly smtp: SmtpSettings | undefined; readonly signal: AbortSignal},
): Promise<void> => {
	const channels = await context.store.database.selectFrom('alert_channel').selectAll().execute();
	await Promise.all(channels.map((channel) => deliverTo(context, {channel, smtp, signal})));
};

const deliverTo = async (
	{store: {database}, clock, logger}: FleetContext,
	options: {
		readonly channel: Selectable<AlertChannelTable>;
		readonly smtp: SmtpSettings | undefined;
		readonly signal: AbortSignal;
	},
): Promise<void> => {
	const {channel, smtp, signal} = options;
	const nowMs = clock.nowMs();
	const due = await database
		.selectFrom('alert_notification')
		.selectAll()
		.where('channel_id', '=', channel.id)
		.where('next_ms', '<=', nowMs)
		.orderBy('created_ms')
		.limit(roundMax)
		.execute();
	for (const {id, body, attempts} of due) {
		try {
			const target = channelTargetSchema.parse(JSON.parse(channel.target));
			await sendNotification({target, secret: channel.secret, body, notificationId: id, smtp, nowMs, signal});
			await database.deleteFrom('alert_notification').where('id', '=', id).execute();
			await database
				.updateTable('alert_channel')
				.set({last_sent_ms: nowMs, last_error: null})
				.where('id', '=', channel.id)
				.execute();
		} catch (error) {
			if (signal.aborted) {
				return;
			}
			const lastError = errorMessage(error).slice(0, 512);
			await database.updateTable('alert_channel').set({last_error: lastError}).where('id', '=', channel.id).execute();
			if (attempts + 1 >= attemptsMax) {
				logger.error({err: error, channel: channel.id}, 'a notification was given up');
				await database.deleteFrom('alert_notification').where('id', '=', id).execute();
				continue;
			}
			logger.debug({err: error, channel: channel.id, attempts}, 'a notification was not taken');
			await database
				.updateTable('alert_notification')
				.set({attempts: attempts + 1, next_ms: nowMs + backoffMs(attempts, retry)})
				.where('id', '=', id)
				.execute();
			// The channel is down: the rest of the round would only wait for the same.
			return;
		}
	}
};
