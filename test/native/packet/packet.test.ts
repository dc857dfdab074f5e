import {Worker} from 'node:worker_threads';
import test from 'ava';
import {openPacketReceiver, openPacketSender, type PacketSenderOptions} from '#native/packet/packet.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDatagrams} from '#test/helper/with-datagrams.ts';

const loopback = '127.0.0.1';
const drained = {signal: AbortSignal.timeout(60_000)};

const opened = (options: PacketSenderOptions = {}) => openPacketSender({interfaceAddress: loopback, ...options});
const batchOf = (lengths: readonly number[]) => ({
	bytes: Buffer.concat(lengths.map((length, index) => Buffer.alloc(length, index % 251))),
	lengths: Uint32Array.from(lengths),
});

test('datagrams of all lengths arrive in order and whole', async (t) => {
	const {group, port, atLeast} = await withDatagrams(t);
	await using sender = opened();
	const lengths = [1, 0, 1400, 1400, 1400, 900, 1400, ...Array.from({length: 100}, (_, index) => 100 + index), 2048];
	t.true(sender.send({destination: {group, port}, ...batchOf(lengths)}));
	await sender.drain(drained);
	const received = await atLeast(lengths.length);
	t.deepEqual(
		received.map(({length}) => length),
		lengths,
	);
	t.deepEqual(Buffer.concat(received), batchOf(lengths).bytes);
	t.like(sender.stats(), {datagrams: lengths.length, dropped: 0, failed: 0, queuedBytes: 0});
});

test('a source-specific join hears its source and no other', async (t) => {
	const wanted = await withDatagrams(t, {group: '232.9.9.1', source: loopback});
	const foreign = openPacketReceiver({onBatch: () => t.fail('another source was heard')});
	t.teardown(() => foreign.close());
	foreign.join({group: wanted.group, port: wanted.port, source: '127.0.0.5', interfaceAddress: loopback});
	await using sender = opened();
	sender.send({destination: wanted, ...batchOf([10])});
	t.is((await wanted.atLeast(1)).length, 1);
	t.is(foreign.stats().datagrams, 0);
});

test('several groups on one receiver are told apart, and one that is left falls silent', async (t) => {
	const {group, port} = await withDatagrams(t);
	const seen: number[] = [];
	await using receiver = openPacketReceiver({onBatch: ({endpoints}) => seen.push(...endpoints)});
	const first = receiver.join({group, port, interfaceAddress: loopback});
	const second = receiver.join({group: '239.255.42.2', port, interfaceAddress: 'lo'});
	await using sender = opened();
	sender.send({destination: {group: '239.255.42.2', port}, ...batchOf([5, 5])});
	await eventually('the second group', () => seen.length === 2);
	receiver.leave(second);
	sender.send({destination: {group: '239.255.42.2', port}, ...batchOf([5, 5])});
	sender.send({destination: {group, port}, ...batchOf([5])});
	await eventually('the first group', () => seen.includes(first));
	t.deepEqual(seen, [second, second, first]);
});

test('full queues drop and count, on both sides', async (t) => {
	const {group, port} = await withDatagrams(t);
	await using receiver = openPacketReceiver({queueBytesMax: 5000, onBatch: () => {}});
	receiver.join({group, port, interfaceAddress: loopback});
	await using sender = opened({queueBytesMax: 200_000});
	t.true(sender.send({destination: {group, port}, ...batchOf(Array.from({length: 100}, () => 1000))}));
	t.false(sender.send({destination: {group, port}, ...batchOf(Array.from({length: 201}, () => 1000))}));
	t.is(sender.stats().dropped, 201);
	// JavaScript takes nothing until all is read: what does not fit into 5000 bytes is gone.
	const pause = new Int32Array(new SharedArrayBuffer(4));
	for (let pauses = 0; receiver.stats().datagrams < 100 && pauses < 3000; pauses += 1) {
		Atomics.wait(pause, 0, 0, 10);
	}
	t.like(receiver.stats(), {datagrams: 100, dropped: 96});
});

test('a longer datagram than wanted is dropped and counted', async (t) => {
	const {group, port, receiver, atLeast} = await withDatagrams(t);
	await using sender = opened();
	sender.send({destination: {group, port}, ...batchOf([2049, 2048])});
	t.is((await atLeast(1))[0]?.length, 2048);
	t.is(receiver.stats().truncated, 1);
});

test('a rate is kept', async (t) => {
	const {group, port} = await withDatagrams(t);
	await using sender = opened({rateBps: 8_000_000, burstBytesMax: 500_000});
	const startMs = performance.now();
	sender.send({destination: {group, port}, ...batchOf(Array.from({length: 500}, () => 972))});
	await sender.drain(drained);
	const elapsedMs = performance.now() - startMs;
	t.true(elapsedMs > 495, `${elapsedMs}`);
});

const refusedJoin = test.macro({
	exec: async (t, endpoint: object, code: string) => {
		await using receiver = openPacketReceiver({onBatch: () => {}});
		t.throws(() => receiver.join({group: '239.1.1.1', port: 5000, ...endpoint}), {code});
	},
	title: (_, endpoint) => `joining ${JSON.stringify(endpoint)} is refused`,
});
test(refusedJoin, {group: 'dvb.gw'}, 'NATIVE_PACKET_ADDRESS');
test(refusedJoin, {group: '239.1.1.1\0'}, 'NATIVE_PACKET_ARGUMENT');
test(refusedJoin, {group: 5}, 'NATIVE_PACKET_ARGUMENT');
test(refusedJoin, {port: 0}, 'NATIVE_PACKET_ARGUMENT');
test(refusedJoin, {port: 65_536}, 'NATIVE_PACKET_ARGUMENT');
test(refusedJoin, {interfaceAddress: 'no-such-interface'}, 'NATIVE_PACKET_ADDRESS');
test(refusedJoin, {interfaceAddress: '203.0.113.1'}, 'NATIVE_PACKET_INTERFACE');
test(refusedJoin, {source: '::1', interfaceAddress: loopback}, 'NATIVE_PACKET_ADDRESS');

const refusedBatch = test.macro({
	exec: async (t, change: object, code: string) => {
		await using sender = opened();
		const batch = {destination: {group: '239.1.1.1', port: 5000}, ...batchOf([10, 10]), ...change};
		t.throws(() => sender.send(batch), {code});
	},
	title: (_, change) => `sending ${JSON.stringify(change)} is refused`,
});
test(refusedBatch, {lengths: Uint32Array.of(10, 11)}, 'NATIVE_PACKET_ARGUMENT');
test(refusedBatch, {lengths: Uint32Array.of(4_294_967_295, 21)}, 'NATIVE_PACKET_ARGUMENT');
test(refusedBatch, {lengths: [10, 10]}, 'NATIVE_PACKET_ARGUMENT');
test(refusedBatch, {bytes: 'text'}, 'NATIVE_PACKET_ARGUMENT');
test(refusedBatch, {destination: {group: 'x', port: 1}}, 'NATIVE_PACKET_ADDRESS');
test(refusedBatch, {destination: undefined}, 'NATIVE_PACKET_ARGUMENT');

test('closing twice does no harm, and use afterwards throws', async (t) => {
	const receiver = openPacketReceiver({onBatch: () => {}});
	const sender = opened();
	await Promise.all([receiver.close(), receiver.close(), sender.close(), sender[Symbol.asyncDispose]()]);
	t.throws(() => receiver.join({group: '239.1.1.1', port: 5000}), {code: 'NATIVE_PACKET_CLOSED'});
	t.throws(() => sender.send({destination: {group: '239.1.1.1', port: 5000}, ...batchOf([1])}), {
		code: 'NATIVE_PACKET_CLOSED',
	});
});

test('worker threads have their own, and may be terminated while packets flow', async (t) => {
	for (let round = 0; round < 3; round += 1) {
		const worker = new Worker(new URL('../../fake/packet-worker.ts', import.meta.url));
		await new Promise((resolve) => worker.once('message', resolve));
		t.is(await worker.terminate(), 1);
	}
});
