import test from 'ava';
import fc from 'fast-check';
import {downsample} from '#ota/fleet/registry/query-telemetry.ts';

const range = {fromMs: 0, toMs: 100_000, points: 10};

test('few samples are answered as they are, with null where nothing was measured', (t) => {
	t.deepEqual(
		downsample(
			[
				{atMs: 1, values: {a: 1}},
				{atMs: 2, values: {b: 2}},
			],
			range,
		),
		{atMs: [1, 2], metrics: {a: [1, null], b: [null, 2]}},
	);
});

test('of many samples the extremes stay, in the order in which they came', (t) => {
	const samples = Array.from({length: 1000}, (_, index) => ({
		atMs: index * 100,
		values: {a: index === 500 ? 99 : index === 501 ? -99 : 1},
	}));
	const {atMs, metrics} = downsample(samples, range);
	t.is(atMs.length, 10);
	t.deepEqual(metrics['a']?.slice(4, 6), [99, -99]);
});

test('however many samples there are, there are no more points, and none but what was measured', (t) => {
	fc.assert(
		fc.property(
			fc.uniqueArray(fc.nat({max: 99_999}), {maxLength: 300}),
			fc.integer({min: 10, max: 60}),
			(times, points) => {
				const samples = times.toSorted((a, b) => a - b).map((atMs) => ({atMs, values: {a: atMs}}));
				const {atMs, metrics} = downsample(samples, {...range, points});
				t.true(atMs.length <= points);
				t.deepEqual(
					atMs,
					atMs.toSorted((a, b) => a - b),
				);
				const line = metrics['a'] ?? [];
				t.is(line.length, samples.length === 0 ? 0 : atMs.length);
				t.true(line.every((value) => value !== null && times.includes(value)));
				if (times.length > 0) {
					t.is(Math.max(...line.map(Number)), Math.max(...times));
				}
			},
		),
	);
});

test('only what was asked for is answered', (t) => {
	const {metrics} = downsample([{atMs: 1, values: {a: 1, b: 2}}], {...range, wanted: new Set(['b'])});
	t.deepEqual(metrics, {b: [2]});
});
