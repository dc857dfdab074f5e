import test from 'ava';
import {payloadBytesMax} from '#appliance/contract/fleet/topic.ts';
import {eventually} from '#test/helper/eventually.ts';
import {enrolTestBox, withAuthority, withDeviceServer} from '#test/helper/with-authority.ts';
import {connectMqtt, withFleetBroker} from '#test/helper/with-fleet-broker.ts';

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
	await eventually('another broker runs', async () => {
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
	await eventually('the retained message comes', () => payloads.includes('kept'));
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
	await eventually('the connection is closed', () => closed);
	t.true(closed);
});

test('what many say while a server is busy waits for it, and none of it is dropped', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const broker = await withFleetBroker(t, fixture);
	const {caPem} = fixture.trust.authority;
	const box = await connectMqtt(t, broker.boxUrl, {caPem, box: await enrolTestBox(fixture, url, 'box-1')});
	const files = {
		keyPem: broker.serverCredentials?.keyPem ?? '',
		certificatePem: broker.serverCredentials?.certificatePem ?? '',
	};
	const server = await connectMqtt(t, broker.serverUrl, {caPem, box: files}, {properties: {receiveMaximum: 100}});
	const {promise: busy, resolve: free} = Promise.withResolvers<void>();
	let count = 0;
	server.handleMessage = (_, done) => {
		void busy.then(() => {
			count += 1;
			done();
		});
	};
	await server.subscribeAsync('sv/1/+/event', {qos: 1});
	const messages = 6000;
	await Promise.all(
		Array.from(
			{length: messages},
			async () => await box.publishAsync('sv/1/box-1/event', Buffer.alloc(1000), {qos: 1}),
		),
	);
	free();
	await eventually('all of them have come', () => count === messages);
	t.is(count, messages);
});
