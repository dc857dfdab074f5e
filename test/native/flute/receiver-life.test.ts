import {randomBytes} from 'node:crypto';
import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import {readdir, readFile} from 'node:fs/promises';
import {Worker} from 'node:worker_threads';
import test from 'ava';
import {openFluteReceiver} from '#native/flute/receiver.ts';
import {objectOf, plainFec, sendFdt, sendObjects} from '#test/helper/flute-programme.ts';
import {seededRandom} from '#test/helper/seeded-random.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withFluteReceiver} from '#test/helper/with-flute-receiver.ts';
import {withFluteSender} from '#test/helper/with-flute-sender.ts';

test('closes in the middle of reception and leaves nothing behind', async (t) => {
	const reception = await withFluteReceiver(t);
	const {sender} = withFluteSender(t, {rateBps: 4_000_000});
	const objects = [objectOf(1, 'long', randomBytes(10_000_000))];
	const options = {destination: reception.endpoint, tsi: 1, fec: plainFec};
	sendFdt(sender, objects, options);
	sendObjects(sender, objects, options);
	await reception.until('progress', () => reception.all('progress').length > 0);
	await reception.receiver.close();
	t.deepEqual(await readdir(reception.directory), []);
	t.throws(() => reception.receiver.drop(1), {code: 'NATIVE_FLUTE_CLOSED'});
	t.deepEqual(reception.receiver.missing(1), []);
	await reception.receiver.close();
});

test('refuses arguments that make no sense', async (t) => {
	const directory = await withDirectory(t);
	const onEvents = () => undefined;
	t.throws(() => openFluteReceiver({directory: '', onEvents}), {code: 'NATIVE_FLUTE_ARGUMENT'});
	t.throws(() => openFluteReceiver({directory, onEvents, limits: {objectsOpenMax: 0.5}}), {
		code: 'NATIVE_FLUTE_ARGUMENT',
	});
	t.throws(() => openFluteReceiver({directory, onEvents, endpoints: [{group: 'nowhere', port: 1}]}), {
		code: 'NATIVE_PACKET_ADDRESS',
	});
	const receiver = openFluteReceiver({directory, onEvents});
	t.teardown(() => receiver.close());
	t.throws(() => receiver.join({group: '239.1.1.1', port: 1, interfaceAddress: '203.0.113.9'}), {
		code: 'NATIVE_PACKET_INTERFACE',
	});
	t.throws(() => receiver.forget({group: '239.1.1.1', port: 1, tsi: 1, toi: 'x'}), {code: 'NATIVE_FLUTE_ARGUMENT'});
	t.deepEqual(receiver.available(77, {offset: 0, length: 10}), []);
});

const workerSource = (url: string) => `
	const {workerData, parentPort} = require('node:worker_threads');
	import(${JSON.stringify(url)}).then(({openFluteReceiver}) => {
		openFluteReceiver({...workerData, onEvents: (events) => parentPort.postMessage(events.map(({kind}) => kind))});
		parentPort.postMessage(['open']);
	});`;

test('works in worker threads, and goes with one that is terminated', async (t) => {
	const {sender} = withFluteSender(t);
	const url = new URL('../../../native/flute/receiver.ts', import.meta.url).href;
	for (let round = 0; round < 3; round++) {
		const reception = await withFluteReceiver(t);
		const directory = await withDirectory(t);
		const worker = new Worker(workerSource(url), {
			eval: true,
			workerData: {directory, endpoints: [reception.endpoint], objectIdleMs: 1000},
		});
		const kinds: string[] = [];
		worker.on('message', (batch: string[]) => kinds.push(...batch));
		await reception.until('the worker listens', () => kinds.includes('open'));
		const objects = [objectOf(1, 'one', randomBytes(100_000)), objectOf(2, 'half', randomBytes(100_000))];
		const options = {destination: reception.endpoint, tsi: 1, fec: plainFec};
		sendFdt(sender, objects, options);
		sendObjects(sender, objects.slice(0, 1), options);
		await reception.until('complete in both threads', () => kinds.includes('complete'));
		await reception.bytesOf('one');
		await worker.terminate();
	}
	t.pass();
});

const corpus = new URL('../../../native/flute/fuzz/corpus/datagram/', import.meta.url);

test('garbage of every kind leaves memory and descriptors bounded, and the receiver at work', async (t) => {
	const reception = await withFluteReceiver(t, {limits: {unknownBytesMax: 1024 * 1024}});
	const socket = createSocket('udp4');
	t.teardown(() => socket.close());
	socket.bind(0, '127.0.0.1');
	await once(socket, 'listening');
	socket.setMulticastInterface('127.0.0.1');
	const random = seededRandom(5);
	const seeds = await Promise.all((await readdir(corpus)).map((name) => readFile(new URL(name, corpus))));
	const descriptors = (await readdir('/proc/self/fd')).length;
	const residentBytes = process.memoryUsage().rss;
	const sent = 20_000;
	for (let index = 0; index < sent; index++) {
		const seed = seeds[index % seeds.length] ?? Buffer.of();
		const bytes = index % 2 === 0 ? randomBytes(Math.floor(random() * 1400)) : Buffer.from(seed.subarray(2, 1400));
		if (bytes.length > 16) {
			bytes[0] = 0x10;
			for (let flip = 0; flip < index % 5; flip++) {
				bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
			}
		}
		socket.send(bytes, reception.endpoint.port, reception.endpoint.group);
		if (index % 200 === 0) {
			await reception.until('taken', () => reception.receiver.stats().packets + 400 > index);
		}
	}
	await reception.until('most are taken', () => reception.receiver.stats().packets > sent * 0.9);
	const stats = reception.receiver.stats();
	t.true(stats.malformedPackets > 1000);
	t.true(stats.unknownBytes <= 1024 * 1024);
	t.true((await readdir('/proc/self/fd')).length <= descriptors + 140);
	t.true(process.memoryUsage().rss - residentBytes < 150 * 1024 * 1024);
	const {sender} = withFluteSender(t);
	const objects = [objectOf(9, 'after all that', randomBytes(100_000))];
	const options = {destination: reception.endpoint, tsi: 4711, fec: plainFec, instanceId: 77};
	sendFdt(sender, objects, options);
	sendObjects(sender, objects, options);
	t.is((await reception.bytesOf('after all that')).length, 100_000);
});
