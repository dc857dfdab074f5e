import {readFile} from 'node:fs/promises';
import test, {type ExecutionContext} from 'ava';
import type {MqttClient} from 'mqtt';
import {payloadBytesMax} from '#appliance/contract/fleet/topic.ts';
import {guardPath} from '#native/broker/guard-path.ts';
import {eventually} from '#test/helper/eventually.ts';
import {enrolTestBox, withAuthority, withDeviceServer} from '#test/helper/with-authority.ts';
import {connectMqtt, withFleetBroker} from '#test/helper/with-fleet-broker.ts';

const whereGuarded = guardPath() === undefined ? test.skip : test;
const mebibyte = 1024 ** 2;

const withHostileBox = async (t: ExecutionContext) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const broker = await withFleetBroker(t, fixture);
	const {caPem} = fixture.trust.authority;
	const files = await enrolTestBox(fixture, url, 'hostile');
	const connect = (options = {}) => connectMqtt(t, broker.boxUrl, {caPem, box: files}, options);
	const server = await connectMqtt(t, broker.serverUrl, {
		caPem,
		box: {
			keyPem: broker.serverCredentials?.keyPem ?? '',
			certificatePem: broker.serverCredentials?.certificatePem ?? '',
		},
	});
	/** What the broker keeps of the box, as it tells whoever subscribes. */
	const retained = async (): Promise<readonly string[]> => {
		const topics: string[] = [];
		const take = (topic: string, _: Buffer, {retain}: {retain: boolean}): void => {
			if (retain) {
				topics.push(topic);
			}
		};
		server.on('message', take);
		const {promise, resolve} = Promise.withResolvers<void>();
		const end = (topic: string): void => (topic === 'sv/fleet/end' ? resolve() : undefined);
		server.on('message', end);
		await server.subscribeAsync(['sv/1/#', 'sv/fleet/end'], {qos: 1});
		await server.publishAsync('sv/fleet/end', 'x', {qos: 1});
		await promise;
		await server.unsubscribeAsync(['sv/1/#', 'sv/fleet/end']);
		server.off('message', take).off('message', end);
		return topics.toSorted();
	};
	const residentBytes = async (): Promise<number> => {
		const status = await readFile(`/proc/${broker.pid()}/status`, 'utf8');
		return Number(/VmRSS:\s+(\d+)/u.exec(status)?.[1]) * 1024;
	};
	return {fixture, url, broker, caPem, server, connect, retained, residentBytes};
};

const isRefused = async (work: Promise<unknown>): Promise<boolean> =>
	await work.then(
		(granted) => Array.isArray(granted) && granted.every(({qos}: {qos: number}) => qos > 2),
		() => true,
	);

whereGuarded('a box retains on its two topics and nowhere else, by publishing or by its will', async (t) => {
	const {connect, retained} = await withHostileBox(t);
	const will = {topic: 'sv/1/hostile/stream/will/out', payload: 'x', qos: 1, retain: true} as const;
	const box = await connect({will});
	for (const name of ['stream/s1/out', 'telemetry', 'event', 'reply']) {
		t.true(await isRefused(box.publishAsync(`sv/1/hostile/${name}`, 'x', {qos: 1, retain: true})), name);
		await box.publishAsync(`sv/1/hostile/${name}`, 'x', {qos: 1});
	}
	for (const name of ['presence', 'reported']) {
		await box.publishAsync(`sv/1/hostile/${name}`, 'x', {qos: 1, retain: true});
	}
	box.stream.destroy();
	// The broker lets a box in again only when it is done with the connection before, and so with its will.
	await connect();
	t.deepEqual(await retained(), ['sv/1/hostile/presence', 'sv/1/hostile/reported']);
});

whereGuarded('a box subscribes to its four filters, and to none that it makes up', async (t) => {
	const {connect} = await withHostileBox(t);
	const box = await connect();
	for (const name of ['desired', 'acknowledged', 'command/+', 'stream/+/in']) {
		t.false(await isRefused(box.subscribeAsync(`sv/1/hostile/${name}`, {qos: 1})), name);
	}
	const foreign = [
		'#',
		'$share/fleet/sv/1/+/event',
		'sv/1/other/desired',
		'sv/1/hostile/command/ping',
		'sv/1/hostile/#',
	];
	for (const filter of [...foreign, `sv/1/hostile/stream/${'x'.repeat(60_000)}/in`]) {
		t.true(await isRefused(box.subscribeAsync(filter, {qos: 1})), filter.slice(0, 60));
	}
});

/** Without waiting for each answer; how many were refused, of a connection that still stands. */
const flood = async (box: MqttClient, count: number, say: (index: number) => Promise<unknown>): Promise<number> => {
	const refusals = await Promise.all(Array.from({length: count}, async (_, index) => await isRefused(say(index))));
	return box.connected ? refusals.filter(Boolean).length : 0;
};

whereGuarded('a box that goes on and on fills no memory of the broker, and the others are served', async (t) => {
	const {fixture, url, broker, caPem, connect, server, retained, residentBytes} = await withHostileBox(t);
	const honest = await connectMqtt(t, broker.boxUrl, {caPem, box: await enrolTestBox(fixture, url, 'honest')});
	const box = await connect();
	const payload = Buffer.alloc(payloadBytesMax, 'x');
	await flood(box, 8, (index) =>
		box.publishAsync(`sv/1/hostile/stream/warm-${index}/out`, payload, {qos: 1, retain: true}),
	);
	const before = await residentBytes();
	const messages = 512;
	const refused = await flood(box, messages, (index) =>
		box.publishAsync(`sv/1/hostile/stream/s${index}/out`, payload, {qos: 1, retain: true}),
	);
	t.is(refused, messages);
	const filters = 500;
	const name = 'x'.repeat(60_000);
	t.is(
		await flood(box, filters, (index) => box.subscribeAsync(`sv/1/hostile/stream/${name}${index}/in`, {qos: 1})),
		filters,
	);
	const grownBytes = (await residentBytes()) - before;
	t.log(
		`${(messages * payload.length + filters * name.length) / mebibyte} MiB sent, ${grownBytes / mebibyte} MiB kept`,
	);
	t.true(grownBytes < 24 * mebibyte);
	t.deepEqual(await retained(), []);
	let heard = false;
	server.on('message', () => {
		heard = true;
	});
	await server.subscribeAsync('sv/1/honest/event', {qos: 1});
	await honest.publishAsync('sv/1/honest/event', 'x', {qos: 1});
	await eventually('the honest box is heard', () => heard);
});
