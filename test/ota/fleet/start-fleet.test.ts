import {execFileSync} from 'node:child_process';
import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {sampleReported} from '#test/helper/sample-box.ts';
import {withFleet, withFleetBox} from '#test/helper/with-fleet.ts';

test('a box is claimed, enrols, reports, is told what is wanted, obeys, and is cut off', async (t) => {
	const fleet = await withFleet(t);
	const {call} = fleet;
	const box = await withFleetBox(t, fleet, 'stb-1');
	box.handleCommands(({name}) => Promise.resolve({kind: 'done', result: {did: name}}));
	const read = async () => (await call('GET /boxes/stb-1')).body;
	await eventually('the box is online', async () => (await read()).presence === 'online');

	const {
		version: _version,
		revision: _revision,
		deviceId: _id,
		kind: _kind,
		desiredRevision: _desired,
		...facts
	} = sampleReported('stb-1');
	box.report(facts);
	box.tellEvent({kind: 'note', data: {text: 'hello'}});
	box.tellTelemetry([{atMs: Date.now(), values: {disk_free_bytes: 7}}]);
	await eventually('its report is there', async () => (await read()).release === '1.0.0');
	await eventually('its event is there', async () => (await call('GET /boxes/stb-1/events')).body.items.length === 1);
	const range = `fromMs=${Date.now() - 60_000}&toMs=${Date.now() + 60_000}`;
	await eventually(
		'its telemetry is there',
		async () => (await call(`GET /boxes/stb-1/telemetry?${range}`)).body.metrics.disk_free_bytes?.[0] === 7,
	);

	const patched = await call(
		'PATCH /boxes/stb-1',
		{tags: ['lab'], config: {log: {level: 'debug'}}},
		{'If-Match': '"1"'},
	);
	t.is(patched.status, 200);
	t.is((await call('PATCH /boxes/stb-1', {tags: []}, {'If-Match': '"1"'})).status, 412);
	await eventually(
		'the box has its config',
		() => JSON.stringify(box.desired()?.config) === '{"log":{"level":"debug"}}',
	);
	await eventually('it said so', async () => (await read()).desiredKeptRevision === (await read()).desiredRevision);

	const given = await call('POST /boxes/stb-1/commands', {name: 'identify', arguments: {seconds: 5}});
	t.is(given.status, 202);
	await eventually(
		'the command is done',
		async () => (await call(`GET /commands/${given.body.id}`)).body.state === 'done',
	);
	t.deepEqual((await call('GET /commands?box=stb-1')).body.items[0].result, {did: 'identify'});

	t.like((await call('GET /boxes?filter=tag%3Dlab')).body, {total: 1});
	t.like((await call('GET /overview')).body, {boxes: 1, online: 1});
	t.regex((await call('GET /boxes/export')).body, /^id,kind,.*\r\nstb-1,stb,/u);
	t.is((await call('GET /boxes/export?format=json')).body[0].id, 'stb-1');

	t.true((await call('POST /boxes/stb-1/revoke', {reason: 'unspecified'})).status < 300);
	await eventually('the box is cut off', () => !box.isConnected());
	await eventually('the fleet sees it go', async () => (await read()).presence === 'offline');
	t.is((await call('POST /boxes/stb-1/commands', {name: 'identify', arguments: {}})).status, 404);
});

test('pages hear of changes, Prometheus of figures, and strangers of nothing', async (t) => {
	const fleet = await withFleet(t);
	for (const path of ['/live', '/metrics', '/api/v1/boxes', '/api/v1/overview']) {
		t.is((await fetch(`${fleet.url}${path}`)).status, 401, path);
	}
	const headers = {Authorization: `Bearer ${fleet.token}`};
	const stop = new AbortController();
	const live = await fetch(`${fleet.url}/live`, {headers, signal: stop.signal});
	t.regex(live.headers.get('content-type') ?? '', /^text.event-stream/u);
	const site = {name: 'Paris', latitude: 48.8, longitude: 2.3, timeZone: 'Europe/Paris', windows: null};
	t.is((await fleet.call('PUT /sites/paris', site, {'If-Match': '"0"'})).status, 200);
	t.is((await fleet.call('PUT /sites/paris', site, {'If-Match': '"0"'})).status, 412);
	let heard = '';
	const decoder = new TextDecoder();
	for await (const chunk of live.body ?? []) {
		heard += decoder.decode(chunk, {stream: true});
		if (heard.includes('"kind":"boxes"')) {
			break;
		}
	}
	stop.abort();
	t.regex(heard, /data: \{"kind":"boxes"\}/u);
	t.regex(await (await fetch(`${fleet.url}/metrics`, {headers})).text(), /^streamverse_fleet_ingest_seconds_count /mu);
	t.like((await fleet.call('GET /sites/paris')).body, {id: 'paris', name: 'Paris'});
	t.is((await fleet.call('DELETE /sites/paris')).status, 204);
	t.is((await fleet.call('GET /openapi.json')).body.openapi.slice(0, 3), '3.1');
});

test('a broker that is killed comes back, and nothing that a box said meanwhile is lost', async (t) => {
	const fleet = await withFleet(t);
	const box = await withFleetBox(t, fleet, 'stb-1');
	const online = async () => (await fleet.call('GET /boxes/stb-1')).body.presence;
	await eventually('the box is online', async () => (await online()) === 'online');
	const [pid] = execFileSync('pgrep', ['-f', `${fleet.stateDirectory}/broker`], {encoding: 'utf8'}).split('\n');
	process.kill(Number(pid), 'SIGKILL');
	await eventually('the box is without a broker', () => !box.isConnected());
	for (let index = 0; index < 20; index += 1) {
		box.tellEvent({kind: 'note', data: {index}});
	}
	const events = async () => (await fleet.call('GET /boxes/stb-1/events')).body.items.length;
	await eventually('every event is there', async () => (await events()) === 20, {timeoutMs: 60_000});
	t.is(await online(), 'online');
});

test('a broker that loses its power right after a change has the change again when it is back', async (t) => {
	const fleet = await withFleet(t);
	const box = await withFleetBox(t, fleet, 'stb-1');
	await eventually('the box is online', async () => (await fleet.call('GET /boxes/stb-1')).body.presence === 'online');
	await box[Symbol.asyncDispose]();
	await eventually('it is gone', async () => (await fleet.call('GET /boxes/stb-1')).body.presence === 'offline');
	const before = (await fleet.call('GET /boxes/stb-1')).body.desiredRevision;
	const changed = await fleet.call('PATCH /boxes/stb-1', {config: {log: {level: 'debug'}}}, {'If-Match': '"1"'});
	t.is(changed.status, 200);
	const revision = async () => (await fleet.call('GET /boxes/stb-1')).body.desiredRevision;
	await eventually('the broker has it', async () => (await revision()) > before);
	const lost = await revision();
	const [pid] = execFileSync('pgrep', ['-f', `${fleet.stateDirectory}/broker`], {encoding: 'utf8'}).split('\n');
	process.kill(Number(pid), 'SIGKILL');
	await eventually('it is sent once more', async () => (await revision()) > lost, {timeoutMs: 60_000});
});

test('a box that was away for two rotations of the order key obeys the new one', async (t) => {
	const fleet = await withFleet(t);
	const box = await withFleetBox(t, fleet, 'stb-1');
	await eventually('the box has a desired state', () => box.desired() !== undefined);
	await box[Symbol.asyncDispose]();
	t.is((await fleet.call('GET /order-keys')).body.items.length, 1);
	for (const count of [2, 3]) {
		const {status, body} = await fleet.call('POST /order-key/rotate');
		t.is(status, 200);
		t.is(body.items.length, count);
		t.deepEqual(
			body.items.map(({untilMs}: {readonly untilMs: number | null}) => untilMs === null),
			body.items.map((_: unknown, index: number) => index === count - 1),
		);
	}
	const config = {log: {level: 'debug'}};
	t.is((await fleet.call('PATCH /boxes/stb-1', {config}, {'If-Match': '"1"'})).status, 200);
	const again = await box.reopen();
	await eventually('the box obeys', () => JSON.stringify(again.desired()?.config) === JSON.stringify(config));
	t.is((await fleet.call('GET /audit?action=rotateOrderKey')).body.items.length, 2);
});
