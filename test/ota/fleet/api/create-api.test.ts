import {Validator} from '@seriousme/openapi-schema-validator';
import test from 'ava';
import {problemSchema} from '#ota/contract/problem.ts';
import {withFleetApi} from '#test/helper/with-fleet-api.ts';
import {thingEndpoints} from '#test/ota/fleet/api/fleet-things.ts';

test('parameters, query and body are parsed, and a refusal names the field', async (t) => {
	const {call, signInAs} = await withFleetApi(t, {endpoints: thingEndpoints});
	const cookie = await signInAs('operator');
	const found = await call('GET /things/abc?size=3', {cookie});
	t.deepEqual(found.body, {id: 'abc', size: 3}, 'and a column too many stays here');
	t.is(found.headers.get('etag'), '"7"');
	t.deepEqual((await call('GET /things/all', {cookie})).body, {all: true});
	const table = [
		['GET /things/ABC', {}, 'path', 'id'],
		['GET /things/abc?size=0', {}, 'query', 'size'],
		['GET /things/abc?size=1&size=2', {}, 'query', 'size'],
		['GET /things/abc?what=1', {}, 'query', ''],
		['PUT /things/abc', {body: {size: 0}}, 'body', 'size'],
		['PUT /things/abc', {body: {size: 1, names: ['a', 2]}}, 'body', 'names.1'],
		['PUT /things/abc', {body: {size: 1, extra: true}}, 'body', ''],
		['PUT /things/abc', {body: '{"size":1,"__proto__":{"role":"admin"}}'}, 'body', ''],
		['PUT /things/abc', {body: '[]'}, 'body', ''],
		['PUT /things/abc', {body: '{"size":1,"names":["a\\u0000b"]}'}, 'body', 'names.0'],
		['GET /things/abc?size=%00', {}, 'query', 'size'],
		[
			'PUT /things/abc',
			{body: `{"names":${'['.repeat(100_000)}${']'.repeat(100_000)}}`},
			'body',
			`names${'.0'.repeat(31)}`,
		],
		['PUT /things/abc', {}, 'body', ''],
	] as const;
	for (const [operation, what, place, field] of table) {
		const refused = await call(operation, {cookie, headers: {'if-match': '"7"'}, ...what});
		t.is(refused.status, 400, operation);
		t.is(refused.headers.get('content-type'), 'application/problem+json');
		const problem = problemSchema.parse(refused.body);
		t.is(problem.code, 'OTA_API_INVALID');
		t.like(problem.errors?.[0], {in: place, field});
	}
	t.is(
		(await call('PUT /things/abc', {cookie, body: '{', headers: {'if-match': '"7"'}})).body.code,
		'OTA_API_BODY_INVALID',
	);
	t.is((await call('GET /nothing', {cookie})).status, 404);
	t.is((await call('GET /things/%E0%A4%A', {cookie})).status, 400);
	const wrongMethod = await call('DELETE /things/abc', {cookie});
	t.deepEqual([wrongMethod.status, wrongMethod.headers.get('allow')], [405, 'GET, PUT']);
});

test('a change wants If-Match, and an old one overwrites nothing', async (t) => {
	const {call, signInAs} = await withFleetApi(t, {endpoints: thingEndpoints});
	const cookie = await signInAs('operator');
	const put = (ifMatch?: string) =>
		call('PUT /things/abc', {
			cookie,
			body: {size: 1},
			...(ifMatch === undefined ? {} : {headers: {'if-match': ifMatch}}),
		});
	t.is((await put()).status, 428);
	for (const old of ['"6"', 'W/"7"', '7', '*', '"7", "8"', '"x"']) {
		t.is((await put(old)).status, 412, old);
	}
	const changed = await put('"7"');
	t.deepEqual([changed.status, changed.headers.get('etag')], [200, '"8"']);
});

test('every change is written down with who, what, which box, from where and what came of it, without secrets', async (t) => {
	const {call, signInAs, audit} = await withFleetApi(t, {endpoints: thingEndpoints});
	const operator = await signInAs('operator', 'olga');
	const viewer = await signInAs('viewer', 'vera');
	const liar = await signInAs('operator', 'liar');
	const headers = {'if-match': '"7"'};
	await call('PUT /things/box-1', {cookie: operator, headers, body: {size: 1, password: 'hunter2'}});
	await call('PUT /things/box-1', {cookie: operator, headers: {'if-match': '"1"'}, body: {size: 1}});
	await call('PUT /things/box-1', {cookie: viewer, headers, body: {size: 1}});
	await call('PUT /things/box-1', {headers, body: {size: 1}});
	const broken = await call('POST /broken', {cookie: operator});
	t.is(broken.status, 500);
	t.false(/hunter2|secret/u.test(broken.text), 'what went wrong inside stays inside');
	t.is((await call('POST /broken', {cookie: liar})).body.code, 'OTA_API_ANSWER_INVALID');
	await call('POST /session', {body: {name: 'olga', password: 'wrong-secret'}});
	await call('GET /things/abc', {cookie: operator});
	const {items} = await audit.list({limit: 100});
	t.deepEqual(
		items
			.toReversed()
			.slice(3)
			.map((row) => [row.actorName, row.action, row.box, row.outcome, row.status]),
		[
			['olga', 'putThing', 'box-1', 'done', 200],
			['olga', 'putThing', 'box-1', 'refused', 412],
			['vera', 'putThing', null, 'refused', 403],
			['olga', 'breakIt', null, 'failed', 500],
			['liar', 'breakIt', null, 'done', 200],
			['anonymous', 'signIn', null, 'refused', 401],
		],
	);
	t.regex(items[0]?.address ?? '', /127\.0\.0\.1/u);
	t.deepEqual(items.at(-4)?.detail, {size: 1, password: '[removed]'});
	t.false(JSON.stringify(items).includes('secret'));
});

test('no answer may be framed, guessed, kept or scripted', async (t) => {
	const {call} = await withFleetApi(t);
	for (const operation of ['GET /login-methods', 'GET /session', 'GET /nothing']) {
		const {headers} = await call(operation);
		t.is(headers.get('cache-control'), 'no-store');
		t.is(headers.get('x-content-type-options'), 'nosniff');
		t.is(headers.get('x-frame-options'), 'DENY');
		t.regex(headers.get('content-security-policy') ?? '', /default-src 'none'/u);
	}
});

test('the OpenAPI document is valid, and names every operation', async (t) => {
	const {call, endpoints} = await withFleetApi(t, {endpoints: thingEndpoints});
	const {body} = await call('GET /openapi.json');
	const validator = new Validator();
	const {valid, errors} = await validator.validate(body);
	t.true(valid, JSON.stringify(errors));
	t.is(validator.version, '3.1');
	for (const {path, method, operationId} of endpoints) {
		t.is(body.paths[path][method.toLowerCase()].operationId, operationId);
	}
	const ids = endpoints.map(({operationId}) => operationId);
	t.is(new Set(ids).size, ids.length);
	delete body.info;
	t.false((await new Validator().validate(body)).valid, 'the validator can say no');
});
