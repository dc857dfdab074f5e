import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import type {MqttClient} from 'mqtt';
import {payloadBytesMax} from '#appliance/contract/fleet/topic.ts';
import {changeTopic} from '#ota/fleet/live/changes.ts';
import {poll} from '#test/helper/poll.ts';
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

const heard = async (client: MqttClient, filter: string): Promise<string[]> => {
	const topics: string[] = [];
	client.on('message', (topic) => topics.push(topic));
	await client.subscribeAsync(filter, {qos: 1});
	return topics;
};

test('a box says and hears only what is its own, and the fleet hears and says all', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const broker = await withFleetBroker(t, fixture);
	const caPem = fixture.trust.authority.caPem;
	const one = await connectMqtt(t, broker.boxUrl, {caPem, box: await enrolTestBox(fixture, url, 'box-1')});
	const two = await connectMqtt(t, broker.boxUrl, {caPem, box: await enrolTestBox(fixture, url, 'box-2')});
	const server = await connectMqtt(t, broker.serverUrl, {
		caPem,
		box: {
			keyPem: broker.serverCredentials?.keyPem ?? '',
			certificatePem: broker.serverCredentials?.certificatePem ?? '',
		},
	});
	const byServer = await heard(server, 'sv/1/#');
	const shared = await heard(server, '$share/fleet/sv/1/+/telemetry');
	const byTwo = await heard(two, '#');
	const changes = await heard(server, changeTopic);

	const own = ['presence', 'reported', 'telemetry', 'event', 'reply', 'stream/s1/out'];
	const foreign = ['desired', 'acknowledged', 'command/ping', 'stream/s1/in', 'else'];
	for (const name of [...own, ...foreign]) {
		await one.publishAsync(`sv/1/box-1/${name}`, 'x', {qos: 0});
		await one.publishAsync(`sv/1/box-2/${name}`, 'x', {qos: 0});
	}
	await one.publishAsync(changeTopic, 'x', {qos: 0});
	for (const name of ['desired', 'acknowledged', 'command/ping', 'stream/s1/in', 'reply']) {
		await server.publishAsync(`sv/1/box-1/${name}`, 'x', {qos: 1});
		await server.publishAsync(`sv/1/box-2/${name}`, 'x', {qos: 1});
	}
	await server.publishAsync(changeTopic, 'by the server');
	await poll('the last message came', () => byTwo.includes('sv/1/box-2/stream/s1/in'));
	await delay(silenceMs);
	t.deepEqual(
		byTwo.toSorted(),
		['acknowledged', 'command/ping', 'desired', 'stream/s1/in'].map((name) => `sv/1/box-2/${name}`),
	);
	const fromOne = byServer.filter(
		(topic) => topic.startsWith('sv/1/box-1/') && own.some((name) => topic.endsWith(`/${name}`)),
	);
	t.true(
		own.every((name) => fromOne.includes(`sv/1/box-1/${name}`)),
		byServer.join(' '),
	);
	t.false(
		byServer.some((topic) => topic === 'sv/1/box-2/telemetry' || topic === 'sv/1/box-1/else' || topic.includes('else')),
	);
	// Both listeners of this client hear what the server said, and nobody what the box said.
	t.deepEqual(changes.filter((topic) => topic === changeTopic).length, 1);
	t.true(shared.includes('sv/1/box-1/telemetry'));
});

test('a box cannot take the session of another, leave a will for it, or reach the listener of servers', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const broker = await withFleetBroker(t, fixture);
	const {caPem} = fixture.trust.authority;
	const victim = await enrolTestBox(fixture, url, 'victim');
	const thief = await enrolTestBox(fixture, url, 'thief');
	const client = await connectMqtt(t, broker.boxUrl, {caPem, box: victim}, {clientId: 'victim', clean: false});
	let closed = false;
	client.on('close', () => {
		closed = true;
	});
	const other = await connectMqtt(t, broker.boxUrl, {caPem, box: thief}, {clientId: 'victim'});
	await delay(silenceMs);
	t.false(closed);
	other.end(true);
	const server = await connectMqtt(t, broker.serverUrl, {
		caPem,
		box: {
			keyPem: broker.serverCredentials?.keyPem ?? '',
			certificatePem: broker.serverCredentials?.certificatePem ?? '',
		},
	});
	const topics = await heard(server, 'sv/1/victim/presence');
	const will = {topic: 'sv/1/victim/presence', payload: Buffer.from('gone'), qos: 1 as const, retain: true};
	await connectMqtt(t, broker.boxUrl, {caPem, box: thief}, {will}).then(
		(evil) => evil.stream.destroy(),
		() => undefined,
	);
	await delay(silenceMs);
	t.deepEqual(topics, []);
	await t.throwsAsync(connectMqtt(t, broker.serverUrl, {caPem, box: thief}, {clientId: 'victim'}));
	await t.throwsAsync(connectMqtt(t, broker.boxUrl, {caPem}));
	t.false(closed);
});

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
	await poll('the box is thrown out', () => closedMs !== undefined, 10_000);
	t.log(`cut off after ${Math.round((closedMs ?? 0) - orderedMs)} ms`);
	const refused = await t.throwsAsync(connectMqtt(t, broker.boxUrl, {caPem, box: bad}));
	t.regex(String(refused?.message), /revoked/iu);
	t.true(stayed);
	await poll('nobody is left to be cut off', async () => await isNobodyLeft(fixture));
	t.false(fixture.log().includes('did not reach the broker'));
	await connectMqtt(t, broker.boxUrl, {caPem, box: good});
	t.is((await askDevices(fixture, `${url}/.well-known/est/simplereenroll`, {box: bad, body: 'AAAA'})).status, 400);
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
		await poll(`${deviceId} is thrown out`, () => closed, 10_000);
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

test('retained state outlives a broker that ends and is started again', async (t) => {
	const fixture = await withAuthority(t);
	const broker = await withFleetBroker(t, fixture);
	const {caPem} = fixture.trust.authority;
	const box = {
		keyPem: broker.serverCredentials?.keyPem ?? '',
		certificatePem: broker.serverCredentials?.certificatePem ?? '',
	};
	const before = await connectMqtt(t, broker.serverUrl, {caPem, box});
	await before.publishAsync('sv/1/box-1/desired', 'kept', {qos: 1, retain: true});
	const pid = broker.pid() ?? 0;
	process.kill(pid, 'SIGTERM');
	await poll('another broker runs', async () => {
		const next = broker.pid();
		return (
			next !== undefined &&
			next !== pid &&
			(await connectMqtt(t, broker.serverUrl, {caPem, box}).then(
				() => true,
				() => false,
			))
		);
	});
	const after = await connectMqtt(t, broker.serverUrl, {caPem, box});
	const payloads: string[] = [];
	after.on('message', (_, payload) => payloads.push(payload.toString()));
	await after.subscribeAsync('sv/1/box-1/desired');
	await poll('the retained message comes', () => payloads.includes('kept'));
	t.deepEqual(payloads, ['kept']);
});

test('a payload of the allowed size passes, and one that is larger ends the connection of who sends it', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const broker = await withFleetBroker(t, fixture);
	const {caPem} = fixture.trust.authority;
	const client = await connectMqtt(t, broker.boxUrl, {caPem, box: await enrolTestBox(fixture, url, 'box-1')});
	await client.publishAsync('sv/1/box-1/reported', Buffer.alloc(payloadBytesMax), {qos: 1});
	let closed = false;
	client.on('close', () => {
		closed = true;
	});
	client.publish('sv/1/box-1/reported', Buffer.alloc(payloadBytesMax + 64 * 1024), {qos: 1});
	await poll('the connection is closed', () => closed);
	t.true(closed);
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
	await poll('the box is out', () => closed && !client.connected);
	await poll('nobody is left to be cut off', async () => await isNobodyLeft(fixture));
	await delay(silenceMs);
	t.false(client.connected);
});
