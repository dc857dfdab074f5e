import test from 'ava';
import {parseTracking} from '#appliance/commission/read-time.ts';

test('a clock that chrony keeps', (t) => {
	const csv =
		'A29FC87B,ntp.test,3,1763719200.123,-0.000041203,0.000012,0.000034,-12.4,0.001,0.05,0.0121,0.0009,64.2,Normal\n';
	t.deepEqual(parseTracking(csv), {synchronised: true, source: 'ntp.test', offsetSeconds: 0.000_041_203});
});

test('a clock that nobody has set yet, and a box without chrony', (t) => {
	const csv = '00000000,,0,0.000000000,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n';
	t.deepEqual(parseTracking(csv), {synchronised: false});
	t.deepEqual(parseTracking(''), {});
});
