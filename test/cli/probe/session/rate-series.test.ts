import test from 'ava';
import {RateSeries} from '#cli/probe/session/rate-series.ts';

test('a steady rate is steady to the end, though the capture ended within a bin', (t) => {
	const rate = new RateSeries(100);
	for (let timeMs = 1000; timeMs < 1430; timeMs += 10) {
		rate.add(timeMs, 125);
	}
	t.deepEqual(rate.series, {startMs: 1000, binMs: 100, bps: [100_000, 100_000, 100_000, 100_000]});
});

test('of a capture that is shorter than a bin there is that bin, and of none there is nothing', (t) => {
	const rate = new RateSeries(100);
	t.deepEqual(rate.series.bps, []);
	rate.add(5000, 125);
	t.deepEqual(rate.series.bps, [10_000]);
});

test('bins widen as the capture goes on, and lose nothing but the last', (t) => {
	const rate = new RateSeries(1);
	for (let timeMs = 0; timeMs < 481; timeMs++) {
		rate.add(timeMs, 1);
	}
	const {binMs, bps} = rate.series;
	t.is(binMs, 4);
	t.deepEqual(
		bps,
		Array.from({length: 120}, () => 8000),
	);
});
