import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {
	type AuthorityFixture,
	askDevices,
	type BoxFiles,
	enrolTestBox,
	turnableClock,
	withAuthority,
	withDeviceServer,
} from '#test/helper/with-authority.ts';
import {connectMqtt, withFleetBroker} from '#test/helper/with-fleet-broker.ts';

/** Long enough for what must not come to have come. */
const silenceMs = 300;

const isNobodyLeft = async ({context}: AuthorityFixture): Promise<boolean> => {
	const rows = await context.store.database.selectFrom('certificate').select('cut_pending').execute();
	return rows.every(({cut_pending}) => cut_pending === 0);
};

test('a box that is revoked is thrown out of its connection, and does not come back', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const broker = await withFleetBroker(t, fixture);
	const {caPem} = fixture.trust.authority;
	const bad = await enrolTestBox(fixture, url, 'bad-box');
	const good = await enrolTestBox(fixture, url, 'good-box');
	const staying = await connectMqtt(t, broker.boxUrl, {caPem, box: good});
	const leaving = await connectMqtt(
		t,
		broker.boxUrl,
		{caPem, box: bad},
		{clientId: 'bad-box', clean: false, properties: {sessionExpiryInterval: 3600}},
	);
	let stayed = true;
	staying.on('close', () => {
		stayed = false;
	});
	let closedMs: number | undefined;
	leaving.on('close', () => {
		closedMs = performance.now();
	});
	const orderedMs = performance.now();
	await fixture.call('revokeBox', {parameters: {id: 'bad-box'}, body: {reason: 'keyCompromise'}});
	await eventually('the box is thrown out', () => closedMs !== undefined);
	t.log(`cut off after ${Math.round((closedMs ?? 0) - orderedMs)} ms`);
	const refused = await t.throwsAsync(connectMqtt(t, broker.boxUrl, {caPem, box: bad}));
	t.regex(String(refused?.message), /revoked/iu);
	t.true(stayed);
	await eventually('nobody is left to be cut off', async () => await isNobodyLeft(fixture));
	t.false(fixture.log().includes('did not reach the broker'));
	await connectMqtt(t, broker.boxUrl, {caPem, box: good});
	t.is((await askDevices(fixture, `${url}/.well-known/est/simplereenroll`, {box: bad, body: 'AAAA'})).status, 400);
});

test('a box that is cut off has gone for everybody who hears or reads its presence; one that never came stays unknown', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const broker = await withFleetBroker(t, fixture);
	const {caPem} = fixture.trust.authority;
	const topic = 'sv/1/bad-box/presence';
	const presence = {version: 1, bootId: 'boot-1', sessionId: 'session-1', sinceMs: 1000};
	const bad = await enrolTestBox(fixture, url, 'bad-box');
	const client = await connectMqtt(
		t,
		broker.boxUrl,
		{caPem, box: bad},
		{
			...{clientId: 'bad-box', clean: false},
			properties: {sessionExpiryInterval: 3600},
			will: {
				...{topic, qos: 1, retain: true, payload: Buffer.from(JSON.stringify({...presence, state: 'offline'}))},
				properties: {willDelayInterval: 3600},
			},
		},
	);
	await client.publishAsync(topic, JSON.stringify({...presence, state: 'online'}), {qos: 1, retain: true});
	const {serverCredentials, serverUrl} = broker;
	const server = {keyPem: serverCredentials?.keyPem ?? '', certificatePem: serverCredentials?.certificatePem ?? ''};
	const serverCa = serverCredentials?.caPem ?? caPem;
	const listening = await connectMqtt(t, serverUrl, {caPem: serverCa, box: server});
	const heard: {readonly topic: string; readonly json: unknown}[] = [];
	listening.on('message', (at, payload) => heard.push({topic: at, json: JSON.parse(payload.toString())}));
	await listening.subscribeAsync('sv/1/+/presence', {qos: 1});
	await enrolTestBox(fixture, url, 'new-box');
	await fixture.call('revokeBox', {parameters: {id: 'new-box'}});
	await fixture.call('revokeBox', {parameters: {id: 'bad-box'}});
	await eventually('nobody is left to be cut off', async () => await isNobodyLeft(fixture));
	const offline = {topic, json: {...presence, state: 'offline'}};
	await eventually('it is heard', () => heard.length > 1);
	t.deepEqual(heard, [{topic, json: {...presence, state: 'online'}}, offline]);

	heard.length = 0;
	const reading = await connectMqtt(t, serverUrl, {caPem: serverCa, box: server});
	reading.on('message', (at, payload) => heard.push({topic: at, json: JSON.parse(payload.toString())}));
	await reading.subscribeAsync('sv/1/+/presence', {qos: 1});
	await eventually('it is read', () => heard.length > 0);
	t.deepEqual(heard, [offline]);
});

test('three revocations in a row are each loaded by the running broker', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const broker = await withFleetBroker(t, fixture);
	const {caPem} = fixture.trust.authority;
	const pid = broker.pid();
	for (const deviceId of ['box-a', 'box-b', 'box-c']) {
		const box = await enrolTestBox(fixture, url, deviceId);
		const client = await connectMqtt(t, broker.boxUrl, {caPem, box});
		let closed = false;
		client.on('close', () => {
			closed = true;
		});
		await fixture.call('revokeBox', {parameters: {id: deviceId}});
		await eventually(`${deviceId} is thrown out`, () => closed);
		await t.throwsAsync(connectMqtt(t, broker.boxUrl, {caPem, box}), {message: /revoked/iu});
	}
	t.is(broker.pid(), pid);
});

test('an expired certificate and one of another fleet are refused by the broker', async (t) => {
	const clock = turnableClock();
	const fixture = await withAuthority(t, {clock});
	const {url} = await withDeviceServer(t, fixture);
	const broker = await withFleetBroker(t, fixture);
	const {caPem} = fixture.trust.authority;
	clock.advance(-200 * 86_400_000);
	const old = await enrolTestBox(fixture, url, 'old-box').finally(() => clock.advance(200 * 86_400_000));
	await t.throwsAsync(connectMqtt(t, broker.boxUrl, {caPem, box: old}), {message: /expired/iu});
	const otherFleet = await withAuthority(t);
	const other = await withDeviceServer(t, otherFleet);
	const foreign: BoxFiles = await enrolTestBox(otherFleet, other.url, 'old-box');
	await t.throwsAsync(connectMqtt(t, broker.boxUrl, {caPem, box: foreign}));
});

test('a second server uses the broker of the first, and a box that it revokes is cut off for good', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const first = await withFleetBroker(t, fixture);
	const second = await withFleetBroker(
		t,
		{...fixture, onRevoked: () => undefined},
		{kind: 'external', boxUrl: first.boxUrl, serverUrl: first.serverUrl},
	);
	const {caPem} = fixture.trust.authority;
	const server = await connectMqtt(t, second.serverUrl, {
		caPem,
		box: {
			keyPem: second.serverCredentials?.keyPem ?? '',
			certificatePem: second.serverCredentials?.certificatePem ?? '',
		},
	});
	await server.publishAsync('sv/1/box-1/desired', 'x', {qos: 1});
	const box = await enrolTestBox(fixture, url, 'box-1');
	const client = await connectMqtt(t, first.boxUrl, {caPem, box}, {reconnectPeriod: 20});
	let closed = false;
	client.on('close', () => {
		closed = true;
	});
	fixture.onRevoked(second.wake);
	await fixture.call('revokeBox', {parameters: {id: 'box-1'}});
	await eventually('the box is out', () => closed && !client.connected);
	await eventually('nobody is left to be cut off', async () => await isNobodyLeft(fixture));
	await delay(silenceMs);
	t.false(client.connected);
});
