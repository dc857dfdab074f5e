import {createHmac} from 'node:crypto';
import {once} from 'node:events';
import {type AddressInfo, createServer} from 'node:net';
import test from 'ava';
import {SMTPServer} from 'smtp-server';
import {notificationSchema} from '#ota/fleet/alert/notification-schema.ts';
import {notificationOf} from '#ota/fleet/alert/queue-notifications.ts';
import {sendNotification, signatureHeader} from '#ota/fleet/alert/send-notification.ts';
import {alarmIngest, withFleetAlerts} from '#test/helper/with-fleet-alerts.ts';
import {withHttpHandler} from '#test/helper/with-http-handler.ts';

const minuteMs = 60_000;

test('a webhook is signed, sent again until it is taken, and then no more', async (t) => {
	const received: {headers: Record<string, unknown>; body: string}[] = [];
	const url = await withHttpHandler(t, (request, response) => {
		let body = '';
		request.setEncoding('utf8').on('data', (text: string) => {
			body += text;
		});
		request.on('end', () => {
			received.push({headers: request.headers, body});
			response.writeHead(received.length < 3 ? 500 : 204).end();
		});
	});
	const fleet = await withFleetAlerts(t);
	const made = await fleet.call('POST /alert-channels', {
		cookie: fleet.admin,
		body: {name: 'hook', target: {kind: 'webhook', url}},
	});
	const {secret} = made.body;
	await fleet.addBoxes(1, null);
	await fleet.ingest(alarmIngest('none-0', true));
	await fleet.look();
	await fleet.deliver();
	await fleet.deliver();
	t.is(received.length, 1, 'it waits');
	const listed = await fleet.call('GET /alert-channels', {cookie: fleet.admin});
	t.like(listed.body.items[0], {waiting: 1, lastError: 'The webhook answered 500.'});
	t.false(listed.text.includes(secret));
	for (let attempt = 0; attempt < 4; attempt++) {
		fleet.advance(minuteMs);
		await fleet.deliver();
	}
	t.is(received.length, 3);
	const last = received.at(-1);
	const [, seconds, signature] =
		/^t=(\d+),v1=([\da-f]{64})$/u.exec(String(last?.headers[signatureHeader.toLowerCase()])) ?? [];
	t.is(signature, createHmac('sha256', secret).update(`${seconds}.${last?.body}`).digest('hex'));
	t.is(new Set(received.map(({headers}) => headers['idempotency-key'])).size, 1);
	t.like(notificationSchema.parse(JSON.parse(last?.body ?? '')), {kind: 'raised', total: 1});
	t.like((await fleet.call('GET /alert-channels', {cookie: fleet.admin})).body.items[0], {waiting: 0, lastError: null});
});

test('an e-mail says what is wrong with which box', async (t) => {
	const mails: string[] = [];
	const server = new SMTPServer({
		authOptional: true,
		disabledCommands: ['STARTTLS'],
		onData: (stream, _session, callback) => {
			let mail = '';
			stream.setEncoding('utf8').on('data', (text: string) => {
				mail += text;
			});
			stream.on('end', () => {
				mails.push(mail);
				callback();
			});
		},
	});
	server.listen(0, '127.0.0.1');
	await once(server.server, 'listening');
	t.teardown(() => server.close());
	const {port} = server.server.address() as AddressInfo;
	const smtp = {host: '127.0.0.1', port, secure: false, requireTls: false, from: 'fleet@example.org'};
	const fleet = await withFleetAlerts(t, 'sqlite', smtp);
	const made = await fleet.call('POST /alert-channels', {
		cookie: fleet.admin,
		body: {name: 'mail', target: {kind: 'email', to: ['noc@example.org']}, severityMin: 'warning'},
	});
	t.is(made.status, 201);
	t.is((await fleet.call(`POST /alert-channels/${made.body.channel.id}/test`, {cookie: fleet.admin})).status, 204);
	await fleet.addBoxes(1, null);
	await fleet.ingest(alarmIngest('none-0', true));
	await fleet.look();
	await fleet.deliver();
	t.is(mails.length, 2);
	t.regex(mails[0] ?? '', /^Subject: \[fleet\] test\r$/mu);
	t.regex(mails[1] ?? '', /^Subject: \[fleet\] warning: disk none-0\r$/mu);
	t.regex(mails[1] ?? '', /^To: noc@example\.org\r$/mu);
	server.close();
	const refused = await fleet.call(`POST /alert-channels/${made.body.channel.id}/test`, {cookie: fleet.admin});
	t.is(refused.body.code, 'OTA_ALERT_NOT_SENT');
});

test('thresholds are changed by an admin, and the wrong way round by nobody', async (t) => {
	const fleet = await withFleetAlerts(t);
	const put = (body: object) => fleet.call('PUT /alert-rules/temperature', {cookie: fleet.admin, body});
	const wanted = {enabled: true, severity: 'critical', raiseAt: 70, clearAt: 60, raiseAfterMs: 0, clearAfterMs: 0};
	t.like((await put(wanted)).body, {...wanted, unit: 'celsius'});
	t.is((await put({...wanted, raiseAt: 50})).body.code, 'OTA_ALERT_THRESHOLDS_WRONG');
	t.is((await put({...wanted, raiseAt: null})).status, 400);
	const {items} = (await fleet.call('GET /alert-rules', {cookie: fleet.admin})).body;
	t.is(items.length, 9);
	t.is(
		(
			await fleet.call('POST /alert-channels', {
				cookie: fleet.admin,
				body: {name: 'm', target: {kind: 'email', to: ['a@b.org']}},
			})
		).body.code,
		'OTA_ALERT_NO_MAIL_SERVER',
	);
});

test('a mail server that dawdles is given up at the stop', async (t) => {
	const server = createServer((socket) => void socket.on('error', () => undefined).write('220 wait\r\n'));
	server.listen({host: '127.0.0.1', port: 0});
	await once(server, 'listening');
	t.teardown(() => server.close());
	const stop = new AbortController();
	const sent = sendNotification({
		target: {kind: 'email', to: ['noc@example.net']},
		...{secret: null, body: notificationOf('test', [], 0), notificationId: 'id', nowMs: 0, signal: stop.signal},
		smtp: {
			...{host: '127.0.0.1', port: (server.address() as AddressInfo).port, from: 'fleet@example.net'},
			...{secure: false, requireTls: false},
		},
	});
	const startedMs = performance.now();
	setTimeout(() => stop.abort(), 100);
	await t.throwsAsync(sent, {code: 'OTA_ALERT_NOT_SENT'});
	t.true(performance.now() - startedMs < 15_000, 'before the 20 s of a mail server that says nothing');
});
