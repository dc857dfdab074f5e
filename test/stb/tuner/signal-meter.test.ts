import test from 'ava';
import type {SignalStatistics} from '#native/dvb/tuner.ts';
import type {Carrier} from '#stb/tuner/carrier.ts';
import {readSignal} from '#stb/tuner/signal-meter.ts';

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
