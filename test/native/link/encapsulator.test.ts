import {execFile} from 'node:child_process';
import {once} from 'node:events';
import {appendFile, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {Worker} from 'node:worker_threads';
import test from 'ava';
import {
	type DecapsulatorOptions,
	type LinkDatagrams,
	type LinkFormat,
	openDecapsulator,
	openEncapsulator,
	openLinkEncoder,
} from '#native/link/link.ts';
import {eventually} from '#test/helper/eventually.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';
import {datagramsOf, sampleDatagram, sampleTransport} from '#test/helper/sample-link.ts';
import {stopFor} from '#test/helper/stop-for.ts';
import {withDatagrams} from '#test/helper/with-datagrams.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const mpe: LinkFormat = {kind: 'mpe', transport: sampleTransport};
const rate = {bits: 20_000_000, seconds: 3};
const sent = Array.from({length: 50}, (_, index) => sampleDatagram(Buffer.alloc(1 + index * 20, index)));

const unitsOf = (): Buffer => {
	const encoder = openLinkEncoder({format: mpe, rate});
	for (const datagram of sent) {
		encoder.push(datagram);
	}
	return encoder.pull(600);
};

/** A decapsulator that keeps what comes. */
const decapsulate = (input: DecapsulatorOptions['input']) => {
	const received: Buffer[] = [];
	const {promise: ended, resolve} = Promise.withResolvers<unknown>();
	const decapsulator = openDecapsulator({
		input,
		onDatagrams: (datagrams: LinkDatagrams) => {
			received.push(...datagramsOf(datagrams));
		},
		onEnd: resolve,
	});
	return {decapsulator, received, ended};
};

test('a stream has its exact rate, whatever waits', async (t) => {
	let bytes = 0;
	await using encapsulator = openEncapsulator({
		...{format: mpe, rate, inputs: []},
		output: {
			kind: 'bytes',
			onBytes: (part) => {
				bytes += part.length;
			},
		},
	});
	await eventually('half a second of the stream', () => encapsulator.stats().elapsedMs > 500);
	const {elapsedMs, underrunMs, carrierBytes, units, lostBytes} = encapsulator.stats();
	t.is(carrierBytes, units * 188);
	t.is(lostBytes, 0);
	const due = ((elapsedMs - underrunMs) / 1000) * (rate.bits / rate.seconds / 8 / 188);
	t.true(Math.abs(units - due) < 2, `${units} packets, ${due} are due`);
	await eventually('as many bytes here', () => bytes >= carrierBytes);
	t.is(bytes % 188, 0);
});

test.serial('a stream that the machine stopped goes on at its rate, and tells the gap', async (t) => {
	await using encapsulator = openEncapsulator({
		...{format: mpe, rate, inputs: []},
		output: {kind: 'bytes', onBytes: () => {}},
	});
	await eventually('it runs', () => encapsulator.stats().units > 100);
	const before = encapsulator.stats();
	await stopFor(300);
	await eventually('it runs again', () => encapsulator.stats().elapsedMs - before.elapsedMs > 600);
	const {underruns, underrunMs, elapsedMs, units} = encapsulator.stats();
	t.true(underruns > before.underruns);
	t.true(underrunMs - before.underrunMs > 250, `${underrunMs} ms`);
	const due = ((elapsedMs - underrunMs) / 1000) * (rate.bits / rate.seconds / 8 / 188);
	t.true(Math.abs(units - due) < 2, `${units} packets, ${due} are due: what was missed is not sent in a burst`);
});

test('RTP has its payload type, numbers in a row, and timestamps that go by the rate', async (t) => {
	const {group, port, atLeast} = await withDatagrams(t);
	const output = {kind: 'rtp', group, port, interfaceAddress: '127.0.0.1'} as const;
	await using encapsulator = openEncapsulator({format: mpe, rate, inputs: [], output});
	const received = (await atLeast(40)).slice(0, 40);
	t.is(encapsulator.stats().lostBytes, 0);
	const [first = Buffer.alloc(0)] = received;
	const ticks = (7 * 188 * 8 * 90_000 * rate.seconds) / rate.bits;
	for (const [index, datagram] of received.entries()) {
		t.is(datagram.length, 12 + 7 * 188);
		t.is(datagram.readUInt16BE(0), 0x80_21);
		t.is(datagram.readUInt16BE(2), (first.readUInt16BE(2) + index) % 65_536);
		t.true(Math.abs(datagram.readUInt32BE(4) - index * ticks) < 1.5);
		t.is(datagram.readUInt32BE(8), first.readUInt32BE(8));
	}
});

test('a file gets the stream, and is read to its end', async (t) => {
	const path = join(await withDirectory(t), 'sent.ts');
	{
		await using encapsulator = openEncapsulator({format: mpe, rate, inputs: [], output: {kind: 'file', path}});
		await eventually('some of the stream', () => encapsulator.stats().units > 100);
	}
	const written = await readFile(path);
	t.is(written.length % 188, 0);
	await appendFile(path, unitsOf());
	const {decapsulator, received, ended} = decapsulate({kind: 'file', path});
	t.teardown(() => decapsulator.close());
	t.is(await ended, undefined);
	await eventually('all datagrams', () => received.length === sent.length);
	t.deepEqual(received, sent);
	t.is(decapsulator.contents().transports[0]?.networkName, 'StreamVerse');
});

test('a FIFO waits for its reader, and carries the stream to it', async (t) => {
	const path = join(await withDirectory(t), 'stream');
	await promisify(execFile)('mkfifo', [path]);
	await using encapsulator = openEncapsulator({format: mpe, rate, inputs: [], output: {kind: 'file', path}});
	const {decapsulator} = decapsulate({kind: 'file', path});
	t.teardown(() => decapsulator.close());
	await eventually('packets', () => decapsulator.stats().packets > 100);
	t.is(encapsulator.stats().lostBytes, 0);
});

test('bytes that JavaScript writes give datagrams to JavaScript', async (t) => {
	const {decapsulator, received} = decapsulate({kind: 'bytes'});
	t.teardown(() => decapsulator.close());
	const units = unitsOf();
	for (let at = 0; at < units.length; at += 1000) {
		t.true(decapsulator.write(units.subarray(at, at + 1000)));
	}
	await eventually('all datagrams', () => received.length === sent.length);
	t.deepEqual(received, sent);
	t.false(decapsulator.write(Buffer.alloc(17 * 1024 * 1024)));
});

test('what cannot be written or read ends with a code', async (t) => {
	const path = join(await withDirectory(t), 'none', 'file');
	const failed = Promise.withResolvers<{readonly code: string}>();
	await using encapsulator = openEncapsulator({
		...{format: mpe, rate, inputs: [], output: {kind: 'file', path}, onFailed: failed.resolve},
	});
	t.is((await failed.promise).code, 'NATIVE_LINK_OUTPUT');
	t.is(encapsulator.stats().lostBytes, 0);
	const {decapsulator, ended} = decapsulate({kind: 'file', path});
	t.teardown(() => decapsulator.close());
	t.like(await ended, {code: 'NATIVE_LINK_INPUT'});
	const group = {group: '239.255.42.7', port: await freeUdpPort()};
	t.throws(() => openDecapsulator({input: {kind: 'udp', ...group, interfaceAddress: '192.0.2.1'}}), {
		code: 'NATIVE_PACKET_INTERFACE',
	});
	t.throws(() => openEncapsulator({format: mpe, rate, inputs: [], output: {kind: 'udp', group: 'nowhere', port: 1}}), {
		code: 'NATIVE_PACKET_ADDRESS',
	});
});

test('a worker may end while its threads run', async (t) => {
	const worker = new Worker(new URL('../../fake/link-worker.ts', import.meta.url));
	await once(worker, 'message');
	t.is(await worker.terminate(), 1);
});
