import test from 'ava';
import {createRateMeter} from '#stb/status/rate-meter.ts';

test('the rate is that of the last seconds', (t) => {
	let nowMs = 0;
	const meter = createRateMeter({clock: {nowMs: () => nowMs, monotonicMs: () => nowMs}});
	t.is(meter.rateBps(0), 0);
	let bytes = 0;
	for (; nowMs < 10_000; nowMs += 100) {
		bytes += 1000;
		meter.rateBps(bytes);
	}
	t.true(Math.abs(meter.rateBps(bytes) - 80_000) < 4000);
	nowMs += 10_000;
	t.true(meter.rateBps(bytes) < 10_000);
});
