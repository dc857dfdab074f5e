import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {openTuner} from '#native/dvb/dvb.ts';
import {makeTableSection, makeTransportPackets} from '#test/helper/make-transport-packets.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const packetsOf = (pid: number): Buffer =>
	makeTransportPackets(
		pid,
		Array.from({length: 500}, (_, index) =>
			makeTableSection({tableId: 0x42, extension: index}, Buffer.alloc(200, pid)),
		),
	);

test('a recording is read whole, by PID or by section, each time from its beginning', async (t) => {
	const file = path.join(await withDirectory(t), 'recording.ts');
	const recording = Buffer.concat([Buffer.from('not yet in step'), packetsOf(17), packetsOf(18)]);
	await writeFile(file, recording);
	await using tuner = openTuner({kind: 'file', format: 'ts', path: file});
	const signal = AbortSignal.timeout(60_000);
	t.true((await tuner.statistics()).locked);
	const all = tuner.read({pids: 'all', signal});
	t.deepEqual(Buffer.concat(await Array.fromAsync(all)), recording);
	t.is(all.stats().bytes, recording.length);
	t.deepEqual(Buffer.concat(await Array.fromAsync(tuner.read({pids: [18], signal}))), packetsOf(18));
	const sections = await Array.fromAsync(tuner.sections({pid: 17, value: Uint8Array.of(0x42), signal}));
	t.deepEqual(
		sections.map((section) => section.readUInt16BE(3)),
		Array.from({length: 500}, (_, index) => index),
	);
});

test('one that repeats goes on until it is stopped', async (t) => {
	const file = path.join(await withDirectory(t), 'recording.ts');
	await writeFile(file, packetsOf(17));
	const stop = new AbortController();
	await using tuner = openTuner({kind: 'file', format: 'ts', path: file, repeat: true});
	const reading = tuner.sections({pid: 17, signal: stop.signal});
	for (let count = 0; count < 1200; count += 1) {
		t.false((await reading.next()).done);
	}
	stop.abort(new Error('enough'));
	await t.throwsAsync(
		async () => {
			for await (const _ of reading) {
				// Until it throws.
			}
		},
		{message: 'enough'},
	);
});

test('a file that is not there says so when it is read', async (t) => {
	await using tuner = openTuner({kind: 'file', format: 'ts', path: path.join(await withDirectory(t), 'none.ts')});
	await t.throwsAsync(() => tuner.read({pids: 'all', signal: AbortSignal.timeout(60_000)}).next(), {code: 'ENOENT'});
});
