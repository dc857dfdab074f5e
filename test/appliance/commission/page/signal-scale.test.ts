import test from 'ava';
import fc from 'fast-check';
import {readAim, readErrors, readLevel, readNoise, toneHz} from '#appliance/commission/page/signal-scale.ts';

const tuner = {name: 'adapter0', locked: true};

test('what a tuner does not tell has no bar', (t) => {
	t.is(readLevel(tuner), undefined);
	t.is(readNoise(tuner), undefined);
	t.is(readErrors(tuner), undefined);
	t.is(readAim(tuner), undefined);
});

test('bars stay within themselves', (t) => {
	t.is(readLevel({...tuner, levelDbm: -120})?.ratio, 0);
	t.is(readLevel({...tuner, levelDbm: 0})?.ratio, 1);
	t.deepEqual(readLevel({...tuner, levelDbm: -50}), {ratio: 0.5, text: '−50.0 dBm'});
	t.deepEqual(readLevel({...tuner, levelRatio: 0.42}), {ratio: 0.42, text: '42 %'});
	t.is(readNoise({...tuner, cnrDb: -3})?.ratio, 0);
	t.deepEqual(readNoise({...tuner, cnrDb: 10}), {ratio: 0.5, text: '10.0 dB'});
});

test('fewer errors are a longer bar', (t) => {
	t.deepEqual(readErrors({...tuner, bitErrorRatio: 0}), {ratio: 1, text: 'none'});
	t.is(readErrors({...tuner, bitErrorRatio: 0.5})?.ratio, 0);
	t.is(readErrors({...tuner, bitErrorRatio: 2e-5})?.text, '2.0 · 10⁻⁵');
	t.is(readErrors({...tuner, bitErrorRatio: 1e-12})?.text, '1.0 · 10⁻¹²');
});

test('the level leads to a signal, and the noise from there to the best place', (t) => {
	const searching = {...tuner, locked: false};
	t.deepEqual(readAim({...searching, levelDbm: -50}), {ratio: 0.25, text: '25 %'});
	t.is(readAim({...searching, levelDbm: -50, cnrDb: 15})?.ratio, 0.25);
	t.is(readAim({...searching, cnrDb: 10})?.ratio, 0.25);
	t.deepEqual(readAim({...tuner, levelDbm: -75, cnrDb: 10}), {ratio: 0.75, text: '75 %'});
	t.is(readAim({...tuner, levelDbm: -50})?.ratio, 0.75);
});

test('without a lock there are no bit errors', (t) => {
	t.is(readErrors({...tuner, locked: false, bitErrorRatio: 0}), undefined);
});

const measure = (min: number, max: number) => fc.option(fc.double({min, max, noNaN: true}), {nil: undefined});
const measures = fc.record({levelDbm: measure(-150, 50), levelRatio: measure(0, 1), cnrDb: measure(-20, 60)});

test('no lock that comes lowers the tone, and none that goes raises it', (t) => {
	const hertz = (locked: boolean, values: object): number | undefined => {
		const aim = readAim({name: 'adapter0', locked, ...values});
		return aim && toneHz(aim.ratio);
	};
	fc.assert(
		fc.property(measures, measures, (without, within) => {
			const [below, above] = [hertz(false, without), hertz(true, within)];
			return below === undefined || above === undefined || below <= above;
		}),
	);
	t.true((hertz(false, {levelDbm: -48}) ?? 0) < (hertz(true, {levelDbm: -48, cnrDb: 6}) ?? 0));
});

test('the tone rises by octaves', (t) => {
	t.is(toneHz(0), 220);
	t.is(toneHz(1), 1760);
	t.is(toneHz(2), 1760);
	t.true(Math.abs(toneHz(1 / 3) - 440) < 1e-9);
});
