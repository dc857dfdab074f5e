import {createHmac} from 'node:crypto';
import {createTransport} from 'nodemailer';
import type {z} from 'zod';
import type {alertChannelCreateSchema} from '#ota/contract/alert-api.ts';
import {alertError} from '#ota/fleet/alert/alert-error.ts';
import {type Notification, notificationSchema} from '#ota/fleet/alert/notification-schema.ts';
import type {SmtpSettings} from '#ota/fleet/alert/smtp-settings.ts';

export type ChannelTarget = z.infer<typeof alertChannelCreateSchema>['target'];

const webhookTimeoutMs = 10_000;
const mailTimeoutMs = 20_000;
/** Of a whole mail: the limits of nodemailer begin anew with every line of a server that dawdles. */
const mailTotalMs = 60_000;
export const signatureHeader = 'Streamverse-Signature';

export type Sending = {
	readonly target: ChannelTarget;
	readonly secret: string | null;
	/** JSON of a notification. */
	readonly body: string;
	/** The same however often it is sent. */
	readonly notificationId: string;
	readonly smtp: SmtpSettings | undefined;
	readonly nowMs: number;
	readonly signal: AbortSignal;
};

/** Delivers once or throws. */
export const sendNotification = (sending: Sending): Promise<void> =>
	sending.target.kind === 'webhook' ? postWebhook(sending, sending.target.url) : sendMail(sending, sending.target.to);

/** `t=<Unix seconds>,v1=<hex>`: HMAC-SHA-256 of `<t>.<body>`, so that nobody replays an old one to the receiver. */
export const signWebhook = (
	body: string,
	{secret, nowMs}: {readonly secret: string; readonly nowMs: number},
): string => {
	const seconds = Math.floor(nowMs / 1000);
	return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
};

const postWebhook = async ({body, secret, notificationId, nowMs, signal}: Sending, url: string): Promise<void> => {
	let status: number;
	try {
		const answer = await fetch(url, {
			method: 'POST',
			// Where it leads was chosen by an admin, not by who answers there.
			redirect: 'error',
			headers: {
				'content-type': 'application/json',
				'idempotency-key': notificationId,
				[signatureHeader]: signWebhook(body, {secret: secret ?? '', nowMs}),
			},
			body,
			signal: AbortSignal.any([signal, AbortSignal.timeout(webhookTimeoutMs)]),
		});
		await answer.body?.cancel();
		({status} = answer);
	} catch (error) {
		throw alertError('OTA_ALERT_NOT_SENT', {status: 502, message: 'The webhook does not answer.', cause: error});
	}
	if (status < 200 || status > 299) {
		throw alertError('OTA_ALERT_NOT_SENT', {status: 502, message: `The webhook answered ${status}.`});
	}
};

const sendMail = async ({smtp, body, notificationId, signal}: Sending, to: readonly string[]): Promise<void> => {
	if (smtp === undefined) {
		throw alertError('OTA_ALERT_NO_MAIL_SERVER', {status: 409, message: 'The fleet server knows no mail server.'});
	}
	const {from, ...server} = smtp;
	const transport = createTransport({
		...server,
		requireTLS: smtp.requireTls,
		connectionTimeout: mailTimeoutMs,
		greetingTimeout: mailTimeoutMs,
		socketTimeout: mailTimeoutMs,
		disableFileAccess: true,
		disableUrlAccess: true,
	});
	const over = Promise.withResolvers<never>();
	const limit = AbortSignal.any([signal, AbortSignal.timeout(mailTotalMs)]);
	const onOver = (): void => over.reject(limit.reason);
	limit.addEventListener('abort', onOver, {once: true});
	try {
		limit.throwIfAborted();
		const notification = notificationSchema.parse(JSON.parse(body));
		const sending = transport.sendMail({
			from,
			to: [...to],
			messageId: `<${notificationId}@streamverse.fleet>`,
			subject: subjectOf(notification),
			text: textOf(notification),
		});
		sending.catch(() => undefined);
		await Promise.race([sending, over.promise]);
	} catch (error) {
		throw alertError('OTA_ALERT_NOT_SENT', {status: 502, message: 'The mail server did not take it.', cause: error});
	} finally {
		limit.removeEventListener('abort', onOver);
		transport.close();
	}
};

const subjectOf = ({kind, total, alerts}: Notification): string => {
	const [first] = alerts;
	if (kind === 'test' || first === undefined) {
		return '[fleet] test';
	}
	const what = total > 1 ? `${total} alerts` : `${first.rule} ${first.box ?? first.site ?? ''}`.trim();
	return `[fleet] ${kind === 'cleared' ? 'cleared' : first.severity}: ${what}`;
};

const textOf = ({kind, total, alerts}: Notification): string => {
	const lines = alerts.map(
		(alert) =>
			`${new Date(alert.raisedMs).toISOString()}  ${alert.severity}  ${alert.rule}  ${alert.box ?? alert.site ?? '-'}\n  ${alert.message}`,
	);
	const more = total > alerts.length ? [`and ${total - alerts.length} more`] : [];
	return [kind === 'test' ? 'This is a test: the channel works.' : `Alerts ${kind}:`, ...lines, ...more, ''].join('\n');
};
