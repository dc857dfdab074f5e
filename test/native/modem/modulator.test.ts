import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {openTransmitChain, type TransmitOptions} from '#native/modem/modem.ts';
import {type ModulatorOptions, openModulator} from '#native/modem/modulator.ts';
import {eventually} from '#test/helper/eventually.ts';
import {stopFor} from '#test/helper/stop-for.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const stream = readFileSync(new URL('qpsk-1-4-short.ts.bin', import.meta.url));
const qpskShort = 6;
const deadlineMs = 60_000;
const signal = (): AbortSignal => AbortSignal.timeout(deadlineMs);

const chainOptions: TransmitOptions = {
	pls: qpskShort,
	goldIndex: 7,
	input: 'ts',
	stage: 'iq',
	rollOff: 0.2,
	samplesPerSymbol: {interpolate: 2, decimate: 1},
	format: 'integer',
};

const frames = (() => {
	const chain = openTransmitChain({...chainOptions, stage: 'bbframe'});
	return chain.write(stream);
})();

const modulated = (() => {
	const chain = openTransmitChain({...chainOptions, input: 'bbframe'});
	return Buffer.concat([chain.write(frames), chain.finish()]);
})();

const options = (output: ModulatorOptions['output']): ModulatorOptions => ({
	streams: [{pls: qpskShort, input: 'bbframe'}],
	output,
	symbolRate: 1e6,
	...{samplesPerSymbol: {interpolate: 2, decimate: 1}, rollOff: 0.2, goldIndex: 7},
});

test('an unpaced file holds what the transmit chain makes of the frames, to the end of the pulse', async (t) => {
	const file = path.join(await withDirectory(t), 'iq');
	const modulator = openModulator({...options({kind: 'file', path: file}), paced: false});
	t.true(modulator.write({stream: 0, bytes: frames}));
	await modulator.drain({signal: signal()});
	await modulator.close();
	t.deepEqual(await readFile(file), modulated);
	t.like(modulator.totals(), {frames: 3, dummyFrames: 0, underruns: 0, queuedBytes: 0});
});

test('a transport stream gives the same frames', async (t) => {
	const file = path.join(await withDirectory(t), 'iq');
	const streams = [{pls: qpskShort, input: 'ts'}] as const;
	await using modulator = openModulator({...options({kind: 'file', path: file}), streams, paced: false});
	for (const portion of [stream.subarray(0, 100), stream.subarray(100)]) {
		t.true(modulator.write({stream: 0, bytes: portion}));
	}
	await modulator.drain({signal: signal()});
	await modulator.close();
	t.deepEqual(await readFile(file), modulated);
});

test('without data dummy PLFRAMEs leave at their rate, and frames take their place', async (t) => {
	const receiver = createSocket('udp4');
	t.teardown(() => receiver.close());
	receiver.bind(0, '127.0.0.1');
	await once(receiver, 'listening');
	const {port} = receiver.address();
	await using modulator = openModulator(options({kind: 'udp', address: '127.0.0.1', port}));
	const [first] = (await once(receiver, 'message', {signal: signal()})) as [Buffer];
	t.true(first.length <= 1440 && first.length % 4 === 0);
	t.true(modulator.write({stream: 0, bytes: frames}));
	await modulator.drain({signal: signal()});
	const {dummyFrames, symbols, ...totals} = modulator.totals();
	t.is(totals.frames, 3);
	t.true(dummyFrames > 0);
	t.is(symbols, 3 * 8190 + dummyFrames * 3330);
});

test('streams take turns, and each frame may have its MODCOD', async (t) => {
	const directory = await withDirectory(t);
	const make = async (name: string, portions: readonly {stream: number; bytes: Uint8Array; pls?: number}[]) => {
		const file = path.join(directory, name);
		await using modulator = openModulator({
			...options({kind: 'file', path: file}),
			streams: [
				{pls: qpskShort, input: 'bbframe'},
				{pls: qpskShort, input: 'bbframe'},
			],
			paced: false,
		});
		for (const portion of portions) {
			modulator.write(portion);
		}
		await modulator.drain({signal: signal()});
		await modulator.close();
		return modulator.totals();
	};
	const other = new Uint8Array(8 * 100).fill(0);
	t.throws(() => openModulator({...options({kind: 'file', path: directory}), streams: [{pls: 0, input: 'ts'}]}), {
		code: 'NATIVE_MODEM_ARGUMENT',
	});
	const bytes = new Uint8Array(48_408 / 8);
	const mixed = await make('mixed', [
		{stream: 0, bytes: frames},
		{stream: 1, bytes, pls: 57},
	]);
	t.is(mixed.frames, 4);
	t.is(mixed.symbols, 3 * 8190 + 22_194);
	await t.throwsAsync(make('refused', [{stream: 0, bytes: other, pls: 57}]), {code: 'NATIVE_MODEM_INPUT'});
	await t.throwsAsync(make('nowhere', [{stream: 2, bytes: frames}]), {code: 'NATIVE_MODEM_INPUT'});
});

test('a full queue takes nothing until there is room', async (t) => {
	const file = path.join(await withDirectory(t), 'iq');
	const modulator = openModulator({...options({kind: 'file', path: file}), paced: false, queueBytesMax: frames.length});
	for (let written = 0; written < 20; ) {
		written += modulator.write({stream: 0, bytes: frames}) ? 1 : 0;
		await modulator.room({signal: signal()});
	}
	await modulator.drain({signal: signal()});
	await modulator.close();
	t.is(modulator.totals().frames, 60);
	t.throws(() => modulator.write({stream: 0, bytes: frames}), {code: 'NATIVE_MODEM_CLOSED'});
});

test('an output that fails is told to who writes and to who waits', async (t) => {
	const directory = await withDirectory(t);
	await using modulator = openModulator({...options({kind: 'file', path: directory}), paced: false});
	const send = async (): Promise<void> => {
		modulator.write({stream: 0, bytes: frames});
		await modulator.drain({signal: signal()});
	};
	await t.throwsAsync(send(), {code: 'NATIVE_MODEM_OUTPUT'});
	t.throws(() => modulator.write({stream: 0, bytes: frames}), {code: 'NATIVE_MODEM_OUTPUT'});
	t.throws(() => openModulator(options({kind: 'udp', address: 'nowhere', port: 1})), {code: 'NATIVE_MODEM_OUTPUT'});
});

test.serial('samples that the machine was too late for are an underrun, and are not sent in a burst', async (t) => {
	const file = path.join(await withDirectory(t), 'iq');
	const begunMs = performance.now();
	await using modulator = openModulator(options({kind: 'file', path: file}));
	await eventually('samples leave', () => modulator.totals().samples > 0);
	const before = modulator.totals();
	await stopFor(300);
	await eventually('they leave again', () => modulator.totals().samples > before.samples + 500_000);
	const {underruns, samples} = modulator.totals();
	t.true(underruns > before.underruns);
	const seconds = (performance.now() - begunMs) / 1000;
	t.true(samples <= (seconds - 0.25) * 2e6, `${samples} in ${seconds} s`);
});
