import test from 'ava';
import {aimRatio, readErrors, readLevel, readNoise, toneHz} from '#appliance/commission/page/signal-scale.ts';

const tuner = {name: 'adapter0', locked: true};

test('what a tuner does not tell has no bar', (t) => {
	t.is(readLevel(tuner), undefined);
	t.is(readNoise(tuner), undefined);
	t.is(readErrors(tuner), undefined);
	t.is(aimRatio(tuner), undefined);
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

test('the noise leads the tone where it is told, and the tone rises by octaves', (t) => {
	t.is(aimRatio({...tuner, cnrDb: 10, levelDbm: -75}), 0.5);
	t.is(aimRatio({...tuner, levelDbm: -75}), 0);
	t.is(toneHz(0), 220);
	t.is(toneHz(1), 1760);
	t.is(toneHz(2), 1760);
	t.true(Math.abs(toneHz(1 / 3) - 440) < 1e-9);
});
