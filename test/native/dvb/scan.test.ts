import {execFile} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {openTuner} from '#native/dvb/dvb.ts';
import {readContents, scanCarriers} from '#native/dvb/scan.ts';
import type {Antenna, SatelliteTuning, Tuner} from '#native/dvb/tuner.ts';
import {universalLnb} from '#native/dvb/tuner.ts';
import {makeTableSection, makeTransportPackets} from '#test/helper/make-transport-packets.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const run = promisify(execFile);
const antenna: Antenna = {lnb: universalLnb};
const carrier = (frequencyKhz: number): SatelliteTuning => ({
	...{system: 'DVB-S2', frequencyKhz, polarization: 'vertical', symbolRate: 27_500_000},
});

test('what another multiplexer wrote is found with its names and streams', async (t) => {
	const file = path.join(await withDirectory(t), 'ffmpeg.ts');
	await run('ffmpeg', [
		...['-loglevel', 'error', '-f', 'lavfi', '-i', 'sine=d=1', '-c:a', 'mp2', '-f', 'mpegts'],
		...['-mpegts_service_id', '5001', '-mpegts_transport_stream_id', '1001', '-mpegts_pmt_start_pid', '256'],
		...['-mpegts_start_pid', '273', '-metadata', 'service_name=Beethoven', '-metadata', 'service_provider=Edge', file],
	]);
	await using tuner = openTuner({kind: 'file', format: 'ts', path: file});
	const signal = AbortSignal.timeout(60_000);
	const found = await Array.fromAsync(scanCarriers(tuner, {tunings: [carrier(11_727_500)], antenna, signal}));
	t.is(found.length, 1);
	t.like(found[0], {locked: true, transportStreamId: 1001, carriers: []});
	t.is(found[0]?.services.length, 1);
	t.like(found[0]?.services[0], {serviceId: 5001, name: 'Beethoven', provider: 'Edge', pmtPid: 256});
	t.like(found[0]?.services[0]?.streams[0], {pid: 273, streamType: 3});
});

test('a table of several sections is read whole, in its present version, by its own extension', async (t) => {
	const file = path.join(await withDirectory(t), 'tables.ts');
	const pat = (numbers: readonly number[], version: number, part: {readonly number: number; readonly last: number}) =>
		makeTableSection(
			{tableId: 0, extension: 7, version},
			Buffer.concat(
				numbers.map((number) => Buffer.of(number >> 8, number & 0xff, 0xe0 | (number >> 8), number & 0xff)),
			),
			part,
		);
	const pmt = (extension: number, current: boolean, pid: number) =>
		makeTableSection(
			{tableId: 2, extension, current},
			Buffer.of(0xff, 0xff, 0xf0, 0, 0x0d, 0xe0 | (pid >> 8), pid & 0xff, 0xf0, 0),
		);
	await writeFile(
		file,
		Buffer.concat([
			makeTransportPackets(0, [
				pat([900], 0, {number: 0, last: 1}),
				pat([301], 1, {number: 1, last: 1}),
				pat([300], 1, {number: 0, last: 1}),
			]),
			makeTransportPackets(300, [pmt(300, false, 1000), pmt(9, true, 1001), pmt(300, true, 1002)]),
			makeTransportPackets(301, [pmt(301, true, 1003)]),
		]),
	);
	await using tuner = openTuner({kind: 'file', format: 'ts', path: file});
	const contents = await readContents(tuner, {signal: AbortSignal.timeout(60_000)});
	t.is(contents.transportStreamId, 7);
	t.deepEqual(
		contents.services.map(({serviceId, streams}) => [serviceId, ...streams.map(({pid}) => pid)]),
		[
			[300, 1002],
			[301, 1003],
		],
	);
});

test('a carrier that does not lock is told of, and the next one is tried', async (t) => {
	const tuned: number[] = [];
	const dark = {signal: false, carrier: false, code: false, sync: false, locked: false};
	const tuner: Pick<Tuner, 'tune' | 'statistics' | 'sections'> = {
		tune: (tuning) => {
			tuned.push(tuning.frequencyKhz);
			return Promise.resolve();
		},
		statistics: () => Promise.resolve(dark),
		sections: () => t.fail('nothing is read without a lock') as never,
	};
	const found = await Array.fromAsync(
		scanCarriers(tuner as Tuner, {
			...{tunings: [carrier(1), carrier(2)], antenna, limits: {lockTimeoutMs: 60}},
			signal: AbortSignal.timeout(60_000),
		}),
	);
	t.deepEqual(tuned, [1, 2]);
	t.deepEqual(
		found.map(({locked, services}) => [locked, services.length]),
		[
			[false, 0],
			[false, 0],
		],
	);
});

test('tables that never come end with the time for them, and an abort with its reason', async (t) => {
	const file = path.join(await withDirectory(t), 'null.ts');
	await writeFile(file, makeTransportPackets(0x1fff, [Buffer.alloc(180, 0xff)]));
	const source = {kind: 'file', format: 'ts', path: file, bitrateBps: 1e6, repeat: true} as const;
	await using tuner = openTuner(source);
	const patient = new AbortController().signal;
	t.deepEqual(await readContents(tuner, {tableTimeoutMs: 100, signal: patient}), {services: [], carriers: []});
	const stop = new AbortController();
	const reading = readContents(tuner, {signal: stop.signal});
	stop.abort(new Error('enough'));
	await t.throwsAsync(reading, {message: 'enough'});
});
