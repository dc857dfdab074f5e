import test from 'ava';
import fc from 'fast-check';
import {backoffMs} from '#appliance/time/backoff.ts';

test('without jitter the delay doubles up to its limit', (t) => {
	const delays = [0, 1, 2, 3, 4, 100].map((attempt) =>
		backoffMs(attempt, {initialMs: 100, maxMs: 1000, random: () => 1}),
	);
	t.deepEqual(delays, [100, 200, 400, 800, 1000, 1000]);
});

test('the jitter takes away at most half, and an attempt without end never leaves the bounds', (t) => {
	fc.assert(
		fc.property(fc.nat(), fc.double({min: 0, max: 1, noNaN: true}), (attempt, random) => {
			const delayMs = backoffMs(attempt, {initialMs: 100, maxMs: 30_000, random: () => random});
			t.true(delayMs >= 50 && delayMs <= 30_000);
		}),
	);
});
