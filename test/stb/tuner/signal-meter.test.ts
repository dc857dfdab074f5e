import test from 'ava';
import type {SignalStatistics} from '#native/dvb/tuner.ts';
import type {Carrier} from '#stb/tuner/carrier.ts';
import {createSignalMeter, readSignal} from '#stb/tuner/signal-meter.ts';

const statistics: SignalStatistics = {
	...{signal: true, carrier: true, code: true, sync: true, locked: true},
	...{levelDbm: -51, cnrDb: 12.41, bitErrorRatio: 1e-7},
};
const carrier: Carrier = {
	...{system: 'DVB-S2', frequencyKhz: 11_727_500, polarization: 'vertical', symbolRate: 27_500_000},
	...{modulation: '8PSK', codeRate: '3/4'},
};

test('the margin is above the standard’s threshold of the carrier’s MODCOD', (t) => {
	const {marginDb, ...measures} = readSignal(statistics, carrier);
	t.deepEqual(measures, {locked: true, levelDbm: -51, cnrDb: 12.41, bitErrorRatio: 1e-7});
	t.is(marginDb?.toFixed(2), '4.50');
});

test('nothing is guessed: no MODCOD, no lock or no C/N gives no margin', (t) => {
	const {codeRate: _, ...unknown} = carrier;
	t.false('marginDb' in readSignal(statistics, unknown));
	t.false('marginDb' in readSignal({...statistics, locked: false}, carrier));
	t.false('marginDb' in readSignal({...statistics, cnrDb: 99}, carrier));
	t.deepEqual(readSignal({...statistics, levelDbm: -2e6, cnrDb: 99, bitErrorRatio: 7}, carrier), {locked: true});
});

const measuring = () => {
	const scene = {nowMs: 0, statistics};
	const meter = createSignalMeter({monotonicMs: () => scene.nowMs, ageMaxMs: 1250});
	const watched = meter.watch({statistics: () => Promise.resolve(scene.statistics)}, undefined);
	return {scene, meter, look: watched.statistics};
};

test('each look is kept, and answered as it is', async (t) => {
	const {scene, meter, look} = measuring();
	t.deepEqual(meter.reading(), {locked: false});
	t.is(await look(), scene.statistics);
	t.deepEqual(meter.reading(), {locked: true, levelDbm: -51, cnrDb: 12.41, bitErrorRatio: 1e-7});
	scene.statistics = {...statistics, locked: false, levelDbm: -63};
	await look();
	t.like(meter.reading(), {locked: false, levelDbm: -63});
	meter.forget();
	t.deepEqual(meter.reading(), {locked: false});
});

test('a reading that is old is missing', async (t) => {
	const {scene, meter, look} = measuring();
	await look();
	scene.nowMs = 1250;
	t.is(meter.reading().levelDbm, -51);
	scene.nowMs = 1251;
	t.deepEqual(meter.reading(), {locked: true});
	await look();
	t.is(meter.reading().levelDbm, -51);
});

test('a new order to the tuner takes the lock, and leaves the level until the next look', async (t) => {
	const {meter, look} = measuring();
	await look();
	meter.retune();
	t.deepEqual(meter.reading(), {locked: false, levelDbm: -51});
});
