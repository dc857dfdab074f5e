import {existsSync} from 'node:fs';
import {Worker} from 'node:worker_threads';
import test from 'ava';
import {listTuners, openKernelTuner, openNetInterface, planTuning} from '#native/dvb/kernel-tuner.ts';
import {type Antenna, type SatelliteTuning, universalLnb} from '#native/dvb/tuner.ts';

const transponder: SatelliteTuning = {
	...{system: 'DVB-S2', frequencyKhz: 11_727_500, polarization: 'vertical', symbolRate: 27_500_000},
	...{modulation: '8PSK', codeRate: '3/4', rollOff: '0.20', pilot: 'on'},
};
const dish: Antenna = {lnb: universalLnb};
/** include/uapi/linux/dvb/frontend.h. */
const commands = {frequency: 3, streamId: 42, plsIndex: 70, tune: 1};

const propertyOf = (tuning: SatelliteTuning, command: number): number | undefined =>
	planTuning(tuning, dish).properties.find((property) => property.command === command)?.value;

test('a tuning becomes what the cable and the driver are told', (t) => {
	const plan = planTuning(transponder, {...dish, committed: 1, toneBurst: 'b'});
	t.deepEqual(
		plan.steps.map((step) => (step.kind === 'message' ? step.bytes.toString('hex') : step.kind)),
		['voltage', 'tone', 'wait', 'e01038f5', 'wait', 'burst', 'wait', 'tone'],
	);
	t.is(plan.tunerKhz, 1_127_500);
	t.is(plan.properties.at(-1)?.command, commands.tune);
	t.is(propertyOf(transponder, commands.frequency), 1_127_500);
	t.is(propertyOf(transponder, commands.plsIndex), undefined);
	t.is(propertyOf({...transponder, plsIndex: 8, inputStream: 3}, commands.plsIndex), 8);
	t.is(propertyOf({...transponder, plsIndex: 8, inputStream: 3}, commands.streamId), 3);
});

test('a single cable’s message goes out by either standard', (t) => {
	const message = (standard: 'EN 50494' | 'EN 50607', pin?: number): string | undefined => {
		const unicable = {standard, userBand: 0, frequencyKhz: 1_210_000, pin};
		const step = planTuning(transponder, {...dish, unicable}).steps.find(({kind}) => kind === 'message');
		return step?.kind === 'message' ? step.bytes.toString('hex') : undefined;
	};
	t.is(message('EN 50494'), 'e0105a04ea');
	t.is(message('EN 50494', 0x17), 'e0105c04ea17');
	t.is(message('EN 50607'), '70040401');
});

const refused = test.macro((t, change: object, antenna: object = {}) => {
	t.throws(() => planTuning({...transponder, ...change}, {...dish, ...antenna}), {code: 'NATIVE_DVB_ARGUMENT'});
});
test('a code rate that is none is refused', refused, {codeRate: '3/2'});
test('a modulation that is none is refused', refused, {modulation: 'QAM'});
test('a polarization that is none is refused', refused, {polarization: 'up'});
test('a frequency that is no number is refused', refused, {frequencyKhz: '11727500'});
test('a PLS index of nineteen bits is refused', refused, {plsIndex: 262_144});
test('an input stream of nine bits is refused', refused, {inputStream: 256});
test('a fifth port is refused', refused, {}, {committed: 4});
test('an LNB without an oscillator is refused', refused, {}, {lnb: {}});

const withoutTuner = existsSync('/dev/dvb') ? test.skip : test;

withoutTuner('a machine without tuners has an empty list, and says which device is not there', async (t) => {
	t.deepEqual(await listTuners(), []);
	t.throws(() => openKernelTuner({adapter: 0}), {code: 'NATIVE_DVB_ABSENT', message: /dvb0\.frontend0/u});
	t.throws(() => openNetInterface({adapter: 0, pid: 0x101, encapsulation: 'mpe'}), {code: 'NATIVE_DVB_ABSENT'});
});

test('a worker that loads the addon ends', async (t) => {
	const source = `const {listTuners} = await import(${JSON.stringify(import.meta.resolve('#native/dvb/kernel-tuner.ts'))});
		await listTuners();`;
	const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
	const {promise, resolve, reject} = Promise.withResolvers<number>();
	worker.on('exit', resolve).on('error', reject);
	t.is(await promise, 0);
});
