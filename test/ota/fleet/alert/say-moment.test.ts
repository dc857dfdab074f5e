import test from 'ava';
import {sayDuration, sayMoment} from '#ota/fleet/alert/say-moment.ts';

test('a moment is told to the minute, with its zone', (t) => {
	t.is(sayMoment(Date.UTC(2026, 10, 21, 7, 5, 59)), '2026-11-21 07:05 UTC');
});

test('a duration is told in the largest unit of which it is one', (t) => {
	t.deepEqual(
		[-5, 0, 999, 1000, 59_999, 60_000, 720_000, 3_599_999, 3_600_000, 86_399_999, 86_400_000, 30 * 86_400_000].map(
			sayDuration,
		),
		['0 s', '0 s', '0 s', '1 s', '59 s', '1 min', '12 min', '59 min', '1 h', '23 h', '1 d', '30 d'],
	);
});
