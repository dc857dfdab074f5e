import {truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {Worker} from 'node:worker_threads';
import test from 'ava';
import {type FluteJob, openFluteSender} from '#native/flute/sender.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDatagrams} from '#test/helper/with-datagrams.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withFluteSender} from '#test/helper/with-flute-sender.ts';

const deadlineMs = 30_000;
const fec = {encodingId: 0, symbolBytes: 1000, sourceBlockSymbolsMax: 64, repairSymbolsPerBlock: 0} as const;
const nowhere = {group: '239.255.42.9', port: 9} as const;
const job: FluteJob = {
	...{lane: 'main', destination: nowhere, tsi: 1, toi: 1, fec},
	source: {kind: 'bytes', bytes: new Uint8Array(10)},
};
const headerBytes = 16 + 4;
const drained = {signal: AbortSignal.timeout(120_000)};

test('an object goes out byte for byte, and its job is told of from start to end', async (t) => {
	const {group, port, atLeast} = await withDatagrams(t);
	const {sender, events} = withFluteSender(t);
	const path = join(await withDirectory(t), 'object');
	const bytes = Buffer.from(Array.from({length: 123_456}, (_, index) => (index * 7) % 251));
	await writeFile(path, bytes);
	const id = sender.enqueue({
		...job,
		destination: {group, port},
		source: {kind: 'file', path, sizeBytes: bytes.length},
	});
	await sender.drain(drained);
	const packets = await atLeast(124);
	t.deepEqual(Buffer.concat(packets.map((packet) => packet.subarray(headerBytes))), bytes);
	const wireBytes = bytes.length + 124 * (headerBytes + 28);
	t.like(events, [
		{kind: 'started', job: id},
		{kind: 'sent', job: id, packets: 124, wireBytes},
	]);
	t.like(sender.stats(), {packets: 124, wireBytes, lanes: [{name: 'main', queued: 0}]});
});

test('an empty object completes at once and sends nothing', async (t) => {
	const {sender, events} = withFluteSender(t);
	sender.enqueue({...job, source: {kind: 'bytes', bytes: new Uint8Array(0)}});
	await sender.drain(drained);
	t.like(events, [{kind: 'started'}, {kind: 'sent', packets: 0, wireBytes: 0}]);
	t.is(sender.stats().packets, 0);
});

test('a file that is missing, of another size, or shrinks fails its own job only', async (t) => {
	// So slow that a busy machine is not too late to cut the file, of which 64 kB at a time are read.
	const {sender, events} = withFluteSender(t, {rateBps: 800_000});
	const path = join(await withDirectory(t), 'object');
	await writeFile(path, new Uint8Array(2_000_000));
	const missing = sender.enqueue({...job, source: {kind: 'file', path: `${path}-missing`}});
	const other = sender.enqueue({...job, source: {kind: 'file', path, sizeBytes: 1}});
	const shrinking = sender.enqueue({...job, source: {kind: 'file', path}});
	const last = sender.enqueue(job);
	await eventually('the third job to start', () =>
		events.some(({kind, job}) => kind === 'started' && job === shrinking),
	);
	await truncate(path, 0);
	await sender.drain(drained);
	const ends = events.filter(({kind}) => kind !== 'started');
	t.like(ends, [
		{kind: 'failed', job: missing, code: 'NATIVE_FLUTE_SOURCE'},
		{kind: 'failed', job: other, code: 'NATIVE_FLUTE_SOURCE_CHANGED'},
		{kind: 'failed', job: shrinking, code: 'NATIVE_FLUTE_SOURCE_CHANGED'},
		{kind: 'sent', job: last},
	]);
});

test('an urgent lane overtakes a long job, which then goes on where it was', async (t) => {
	const {group, port, received} = await withDatagrams(t);
	const {sender, events} = withFluteSender(t, {
		// Slow until the urgent one is through, so that a busy machine is not too late to order it.
		rateBps: 800_000,
		lanes: [
			{name: 'live', level: 0, weight: 1},
			{name: 'main', level: 1, weight: 1},
		],
	});
	const destination = {group, port};
	const long = sender.enqueue({...job, destination, source: {kind: 'bytes', bytes: new Uint8Array(1_000_000)}});
	await eventually('the long job to be under way', () => received.length > 10);
	const urgent = sender.enqueue({...job, destination, lane: 'live', toi: 2});
	await eventually('the urgent job', () => events.some((event) => event.kind === 'sent' && event.job === urgent));
	sender.setRate(80_000_000);
	await sender.drain(drained);
	t.deepEqual(
		events.filter(({kind}) => kind === 'sent').map((event) => event.job),
		[urgent, long],
	);
	await eventually('all packets', () => received.length >= 1001);
	const esis = received.filter((packet) => packet.readUInt32BE(12) === 1).map((packet) => packet.readUInt32BE(16));
	t.is(new Set(esis).size, 1000);
});

test('a job is cancelled while it waits and while it is sent; both end with a code', async (t) => {
	const {sender, events} = withFluteSender(t, {rateBps: 100_000});
	const active = sender.enqueue({...job, source: {kind: 'bytes', bytes: new Uint8Array(1_000_000)}});
	const waiting = sender.enqueue(job);
	await eventually('the first job to start', () => sender.stats().lanes[0]?.job === active);
	t.true(sender.cancel(waiting));
	t.true(sender.cancel(active));
	await sender.drain({signal: AbortSignal.timeout(deadlineMs)});
	t.false(sender.cancel(active));
	t.like(
		events.filter(({kind}) => kind === 'failed'),
		[
			{job: waiting, code: 'NATIVE_FLUTE_CANCELLED'},
			{job: active, code: 'NATIVE_FLUTE_CANCELLED'},
		],
	);
});

test('the rate is kept, and a new one holds at once', async (t) => {
	// The bucket makes up for whatever time the machine is given none.
	const {sender} = withFluteSender(t, {rateBps: 4_000_000, burstBytesMax: 8_000_000});
	sender.enqueue({...job, source: {kind: 'bytes', bytes: new Uint8Array(6_000_000)}});
	const {rateErrorRatio} = await eventually('half a second of traffic', () => {
		const stats = sender.stats();
		return stats.busyMs > 500 && stats;
	});
	t.true(rateErrorRatio < 0.02, String(rateErrorRatio));
	await eventually('what came late to be made up for', () => sender.stats().rateErrorRatio > -0.02);
	sender.setRate(400_000_000);
	await sender.drain({signal: AbortSignal.timeout(deadlineMs)});
	// At the old rate it takes more than twelve seconds.
	t.true(sender.stats().busyMs < 11_000);
});

test('a few packets now and then say nothing of the rate', async (t) => {
	const {sender} = withFluteSender(t, {rateBps: 4_000_000});
	for (let toi = 1; toi <= 5; toi++) {
		sender.enqueue({...job, toi});
		await sender.drain({signal: AbortSignal.timeout(deadlineMs)});
	}
	const {busyMs, rateErrorRatio} = sender.stats();
	t.true(busyMs > 0);
	t.is(rateErrorRatio, 0);
});

const misuse = test.macro({
	exec: (t, change: object, code: string) => {
		const {sender} = withFluteSender(t);
		t.throws(() => sender.enqueue({...job, ...change}), {code});
		t.is(sender.stats().lanes[0]?.queued, 0);
	},
	title: (_, change) => `a job with ${JSON.stringify(change)} is refused`,
});
const argument = 'NATIVE_FLUTE_ARGUMENT';
test(misuse, {tsi: -1}, argument);
test(misuse, {tsi: 1.5}, argument);
test(misuse, {toi: 2 ** 32}, argument);
test(misuse, {toi: 65_536, widthBits: 16}, argument);
test(misuse, {toi: 0}, argument);
test(misuse, {widthBits: 24}, argument);
test(misuse, {widthBits: '32'}, argument);
test(misuse, {fdt: {instanceId: 1, version: 1}}, argument);
test(misuse, {toi: 0, fdt: {instanceId: 2 ** 20, version: 1}}, argument);
test(misuse, {toi: 0, fdt: {instanceId: 1, version: 3}}, argument);
test(misuse, {contentEncoding: 'gzip'}, argument);
test(misuse, {source: {kind: 'pipe'}}, argument);
test(misuse, {source: {kind: 'file', path: ''}}, argument);
test(misuse, {source: {kind: 'file', path: 'a\0b'}}, argument);
test(misuse, {source: {kind: 'bytes', bytes: 'text'}}, argument);
test(misuse, {source: null}, argument);
test(misuse, {fec: {...fec, encodingId: 6}}, argument);
test(misuse, {fec: {...fec, symbolBytes: 0}}, argument);
test(misuse, {fec: {...fec, symbolBytes: 65_500}}, argument);
test(misuse, {fec: {...fec, repairSymbolsPerBlock: 1}}, argument);
test(misuse, {fec: {...fec, encodingId: 5, sourceBlockSymbolsMax: 200, repairSymbolsPerBlock: 56}}, argument);
test(misuse, {closeObject: 1}, argument);
test(misuse, {destination: {group: 'example.org', port: 1}}, 'NATIVE_PACKET_ADDRESS');
test(misuse, {destination: {group: '239.1.1.1', port: 0}}, argument);
test(misuse, {lane: 'other'}, 'NATIVE_FLUTE_LANE');

const wrongOptions = test.macro({
	exec: (t, change: object, code: string) => {
		const options = {rateBps: 1_000_000, lanes: [{name: 'main', level: 0, weight: 1}], onEvents: () => {}, ...change};
		t.throws(() => openFluteSender(options), {code});
	},
	title: (_, change) => `a sender with ${JSON.stringify(change)} is refused`,
});
test(wrongOptions, {rateBps: 0}, argument);
test(wrongOptions, {rateBps: Number.NaN}, argument);
test(wrongOptions, {ttl: 256}, argument);
test(wrongOptions, {lanes: []}, argument);
test(wrongOptions, {lanes: [{name: 'a', level: 0, weight: 0}]}, argument);
test(wrongOptions, {onEvents: null}, argument);
test(wrongOptions, {interfaceAddress: '203.0.113.9'}, 'NATIVE_PACKET_INTERFACE');

test('a sender is closed twice without harm, and used afterwards throws', async (t) => {
	const {sender} = withFluteSender(t);
	await Promise.all([sender.close(), sender[Symbol.asyncDispose]()]);
	await sender.close();
	t.throws(() => sender.enqueue(job), {code: 'NATIVE_FLUTE_CLOSED'});
	t.throws(() => sender.setRate(1_000_000), {code: 'NATIVE_FLUTE_CLOSED'});
	await sender.drain({signal: AbortSignal.timeout(deadlineMs)});
});

test('waiting for the end stops on an order to stop', async (t) => {
	const {sender} = withFluteSender(t, {rateBps: 10_000});
	sender.enqueue({...job, source: {kind: 'bytes', bytes: new Uint8Array(1_000_000)}});
	await t.throwsAsync(sender.drain({signal: AbortSignal.timeout(50)}), {name: 'TimeoutError'});
});

test('worker threads each have a sender, and may be terminated in the middle of a job', async (t) => {
	const source = new URL('../../fake/sender-worker.ts', import.meta.url);
	for (let round = 0; round < 3; round += 1) {
		const workers = [new Worker(source), new Worker(source)];
		await Promise.all(
			workers.map(async (worker) => {
				await new Promise((resolve) => worker.once('message', resolve));
				t.is(await worker.terminate(), 1);
			}),
		);
	}
});
