import {connect} from 'node:net';
import test from 'ava';
import {sql} from 'kysely';
import {accountRoles} from '#ota/contract/account-api.ts';
import {mayDo} from '#ota/fleet/api/identity.ts';
import {withFleetApi} from '#test/helper/with-fleet-api.ts';
import {thingEndpoints} from '#test/ota/fleet/api/fleet-things.ts';

test('no role may do what is beyond it: every operation of the API, every role', async (t) => {
	const {call, signInAs, endpoints} = await withFleetApi(t, {endpoints: thingEndpoints});
	for (const role of accountRoles) {
		const cookie = await signInAs(role);
		for (const {method, path, role: needed} of endpoints) {
			if (needed === 'anyone' || mayDo(role, needed)) {
				continue;
			}
			const refused = await call(`${method} ${path.replaceAll(/\{\w+\}/gu, 'abc')}`, {
				cookie,
				body: method === 'GET' ? undefined : {},
			});
			t.is(refused.body.code, 'OTA_API_FORBIDDEN', `${role}: ${method} ${path}`);
		}
	}
	for (const {method, path, role} of endpoints) {
		if (role !== 'anyone') {
			t.is((await call(`${method} ${path.replaceAll(/\{\w+\}/gu, 'abc')}`)).status, 401, `nobody: ${method} ${path}`);
		}
	}
});

test('a request with a cookie from another site, or of a type that a form can send, is refused', async (t) => {
	const {call, signInAs, baseUrl} = await withFleetApi(t, {endpoints: thingEndpoints});
	const cookie = await signInAs('operator');
	const put = (headers: Record<string, string>) =>
		call('PUT /things/abc', {cookie, body: {size: 1}, headers: {'if-match': '"7"', ...headers}});
	t.is((await put({origin: baseUrl})).status, 200);
	for (const origin of ['https://evil.example', 'null', `${baseUrl}.evil.example`, 'garbage']) {
		t.is((await put({origin})).body.code, 'OTA_API_ORIGIN_FOREIGN', origin);
	}
	t.is((await put({'sec-fetch-site': 'cross-site'})).status, 403);
	t.is((await put({'sec-fetch-site': 'same-site'})).status, 403);
	t.is((await put({'content-type': 'text/plain'})).status, 415);
	t.is(
		(await call('POST /session', {body: {name: 'a', password: 'b'}, headers: {origin: 'https://evil.example'}})).status,
		403,
	);
	const {token} = (await call('POST /tokens', {cookie, body: {name: 'x', role: 'operator'}})).body;
	const byToken = await call('PUT /things/abc', {
		token,
		body: {size: 1},
		headers: {'if-match': '"7"', origin: 'https://dashboard.example'},
	});
	t.is(byToken.status, 200, 'a token is no cookie');
});

test('each account and each address has its own measure of requests', async (t) => {
	const {call, signInAs, advance} = await withFleetApi(t, {
		endpoints: thingEndpoints,
		accountLimit: {burst: 3, perSecond: 0.5},
		anonymousLimit: {burst: 4, perSecond: 1},
	});
	const one = await signInAs('viewer');
	const other = await signInAs('viewer');
	for (let count = 0; count < 3; count++) {
		t.is((await call('GET /things/abc', {cookie: one})).status, 200);
	}
	const refused = await call('GET /things/abc', {cookie: one});
	t.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '2']);
	t.is((await call('GET /things/abc', {cookie: other})).status, 200);
	advance(2000);
	t.is((await call('GET /things/abc', {cookie: one})).status, 200);
	t.is((await call('GET /things/abc', {cookie: one})).status, 429);
	t.is((await call('GET /session', {token: 'svt_guess'})).status, 401);
	for (let count = 0; count < 3; count++) {
		await call('GET /session');
	}
	t.is((await call('POST /session', {body: {name: 'a', password: 'b'}})).status, 429);
});

test('a body beyond the limit is refused, whether it says so or just comes', async (t) => {
	const {call, signInAs, baseUrl} = await withFleetApi(t, {endpoints: thingEndpoints});
	const cookie = await signInAs('operator');
	const headers = {'if-match': '"7"'};
	const names = ['x'.repeat(300_000)];
	t.is((await call('PUT /things/abc', {cookie, headers, body: {size: 1, names}})).status, 413);
	const {port} = new URL(baseUrl);
	const socket = connect(Number(port), '127.0.0.1');
	socket.write(
		`PUT /api/v1/things/abc HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nIf-Match: "7"\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
	);
	const chunk = 'x'.repeat(16_384);
	const feeding = setInterval(() => socket.write(`4000\r\n${chunk}\r\n`), 1);
	let answer = '';
	for await (const bytes of socket.on('error', () => undefined)) {
		answer += String(bytes);
		break;
	}
	clearInterval(feeding);
	t.regex(answer, /^HTTP\/1\.1 413 /u);
	t.regex(answer, /Connection: close/iu);
	t.is((await call('PUT /things/abc', {cookie, headers, body: {size: 1}})).status, 200);
});

test('strings of injection find nothing and break nothing', async (t) => {
	const {call, signInAs, audit} = await withFleetApi(t);
	const cookie = await signInAs('admin');
	const strings = [
		"' or 1=1 --",
		"'; drop table account; --",
		'%',
		'"',
		'\\',
		'\u0000',
		'{{7*7}}',
		'../../etc/passwd',
		'🦊'.repeat(20),
	];
	for (const text of strings) {
		const encoded = encodeURIComponent(text);
		const listed = await call(`GET /audit?actor=${encoded}`, {cookie});
		t.true(listed.status === 400 || listed.body.items.length === 0, text);
		t.true([400, 404].includes((await call(`GET /accounts/${encoded}`, {cookie})).status), text);
		t.true([400].includes((await call(`GET /accounts?cursor=${encoded}`, {cookie})).status), text);
		t.true([401, 400, 429].includes((await call('POST /session', {body: {name: text, password: text}})).status), text);
	}
	t.is((await call('GET /accounts', {cookie})).body.items.length, 1);
	t.true((await audit.verify()).intact);
});

test('an act that its server did not live to see the end of is in the log, and one that ended is there once', async (t) => {
	const {call, signInAs, audit, store} = await withFleetApi(t, {endpoints: thingEndpoints});
	const cookie = await signInAs('approver');
	const put = () => call('PUT /things/abc', {cookie, headers: {'if-match': '"7"'}, body: {size: 1}});
	const acts = async () =>
		(await audit.list({limit: 9, action: 'putThing'})).items.map(({outcome, box, status}) => [outcome, box, status]);
	t.is((await put()).status, 200);
	t.deepEqual(await acts(), [['done', 'abc', 200]]);
	await sql
		.raw(
			"create trigger power_cut before insert on audit when new.outcome = 'done' begin select raise(abort, 'power cut'); end",
		)
		.execute(store.database);
	t.is((await put()).status, 500);
	t.deepEqual(await acts(), [
		['begun', 'abc', 0],
		['done', 'abc', 200],
	]);
	await sql.raw('drop trigger power_cut').execute(store.database);
	const exported = (await call('GET /audit/export?format=ndjson&action=putThing', {cookie})).text;
	const rows = exported.trim().split('\n');
	t.deepEqual(
		rows.map((row) => JSON.parse(row)).map(({outcome, intent, sequence}) => [outcome, intent ?? sequence]),
		[
			['begun', 3],
			['done', 3],
			['begun', 5],
		],
	);
	t.true((await audit.verify()).intact);
});

test('an act without a row that says it begins is not done', async (t) => {
	const {call, signInAs, store} = await withFleetApi(t, {endpoints: thingEndpoints});
	const cookie = await signInAs('operator');
	const before = await call('GET /tokens', {cookie});
	await sql
		.raw("create trigger disk_full before insert on audit begin select raise(abort, 'disk full'); end")
		.execute(store.database);
	t.is((await call('POST /tokens', {cookie, body: {name: 'x', role: 'operator'}})).status, 500);
	t.deepEqual((await call('GET /tokens', {cookie})).body, before.body);
	t.is(before.body.items.length, 0);
});
