import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import type {MqttClient} from 'mqtt';
import {changeTopic} from '#ota/fleet/live/changes.ts';
import {eventually} from '#test/helper/eventually.ts';
import {enrolTestBox, withAuthority, withDeviceServer} from '#test/helper/with-authority.ts';
import {connectMqtt, withFleetBroker} from '#test/helper/with-fleet-broker.ts';

/** Long enough for what must not come to have come. */
const silenceMs = 300;

const heard = async (client: MqttClient, filter: string | string[]): Promise<string[]> => {
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
	const byTwo = await heard(
		two,
		['desired', 'acknowledged', 'command/+', 'stream/+/in'].map((name) => `sv/1/box-2/${name}`),
	);
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
	await eventually('the last message came', () => byTwo.includes('sv/1/box-2/stream/s1/in'));
	await eventually('the change came', () => changes.includes(changeTopic));
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

test('without the guard a box that joins a shared subscription by its name takes messages, hence the name is a secret', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const broker = await withFleetBroker(t, fixture, undefined, {guard: null});
	const {caPem} = fixture.trust.authority;
	const honest = await connectMqtt(t, broker.boxUrl, {caPem, box: await enrolTestBox(fixture, url, 'honest')});
	const thief = await connectMqtt(t, broker.boxUrl, {caPem, box: await enrolTestBox(fixture, url, 'thief')});
	const server = await connectMqtt(t, broker.serverUrl, {
		caPem,
		box: {
			keyPem: broker.serverCredentials?.keyPem ?? '',
			certificatePem: broker.serverCredentials?.certificatePem ?? '',
		},
	});
	const heardOf = async (group: string, name: string, atLeast: number): Promise<number> => {
		const topics = await heard(server, `$share/${group}/sv/1/+/${name}`);
		const count = () => topics.filter((topic) => topic.endsWith(name)).length;
		for (let sent = 0; sent < 10; sent += 1) {
			await honest.publishAsync(`sv/1/honest/${name}`, 'x', {qos: 1});
		}
		await eventually('as many came', () => count() >= atLeast);
		await delay(silenceMs);
		return count();
	};
	await thief.subscribeAsync('$share/fleet/sv/1/+/event', {qos: 1});
	t.is(await heardOf('fleet', 'event', 5), 5);
	t.is(await heardOf(fixture.trust.shareGroup, 'telemetry', 10), 10);
});

test('a box learns nothing of the broker or of others by any filter, and leaves nothing outside its own', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const broker = await withFleetBroker(t, fixture);
	const {caPem} = fixture.trust.authority;
	const curious = await connectMqtt(t, broker.boxUrl, {caPem, box: await enrolTestBox(fixture, url, 'curious')});
	const filters = [
		'#',
		'$SYS/#',
		'+/#',
		'sv/+/+/desired',
		'sv/1/other/#',
		'sv/fleet/#',
		'$share/own/sv/1/+/desired',
		'sv/1/curious/desired',
	];
	const topics: string[] = [];
	curious.on('message', (topic) => topics.push(topic));
	for (const filter of filters) {
		await curious.subscribeAsync(filter, {qos: 1}).catch(() => undefined);
	}
	const server = await connectMqtt(t, broker.serverUrl, {
		caPem,
		box: {
			keyPem: broker.serverCredentials?.keyPem ?? '',
			certificatePem: broker.serverCredentials?.certificatePem ?? '',
		},
	});
	await server.publishAsync('sv/1/other/desired', 'x', {qos: 1, retain: true});
	await server.publishAsync('sv/fleet/lease', 'x', {qos: 1, retain: true});
	for (const topic of [
		'sv/1/other/presence',
		'sv/1/curious/desired',
		'sv/fleet/lease',
		'else',
		'$SYS/broker/clients',
	]) {
		await curious.publishAsync(topic, 'forged', {qos: 0, retain: true});
	}
	await server.publishAsync('sv/1/curious/desired', 'own', {qos: 1});
	await eventually('its own came', () => topics.includes('sv/1/curious/desired'));
	await delay(silenceMs);
	t.deepEqual([...new Set(topics)], ['sv/1/curious/desired']);
	const kept: string[] = [];
	const later = await connectMqtt(t, broker.serverUrl, {
		caPem,
		box: {
			keyPem: broker.serverCredentials?.keyPem ?? '',
			certificatePem: broker.serverCredentials?.certificatePem ?? '',
		},
	});
	later.on('message', (topic, payload) => kept.push(`${topic} ${payload}`));
	await later.subscribeAsync(['sv/1/#', 'sv/fleet/#'], {qos: 1});
	await eventually('what is retained came', () => kept.length >= 2);
	t.deepEqual(kept.toSorted(), ['sv/1/other/desired x', 'sv/fleet/lease x']);
});
