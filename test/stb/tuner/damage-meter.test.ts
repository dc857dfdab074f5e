import test from 'ava';
import {createDamageMeter} from '#stb/tuner/damage-meter.ts';

test('damage is counted over decapsulators, and over the last minute', (t) => {
	const meter = createDamageMeter();
	meter.take({'section-crc': 2, discontinuity: 1, 'section-foreign': 500}, 0);
	t.is(meter.total(), 3);
	t.is(meter.perMinute(), 3);
	meter.take({'section-crc': 5, discontinuity: 1}, 30_000);
	t.is(meter.total(), 6);
	// A new decapsulator counts from nothing.
	meter.take({'section-crc': 1}, 50_000);
	t.is(meter.total(), 7);
	t.is(meter.perMinute(), 7);
	meter.take({'section-crc': 1}, 75_000);
	t.is(meter.perMinute(), 4);
	meter.take({'section-crc': 1}, 500_000);
	t.is(meter.perMinute(), 0);
	t.is(meter.total(), 7);
});
