import test from 'ava';
import fc from 'fast-check';
import {planRanges} from '#stb/repair/plan-ranges.ts';

const limits = {gapBytes: 10, requestBytesMax: 100, refetchRatio: 0.8};

test('nothing missing plans nothing', (t) => {
	t.deepEqual(planRanges({missing: [], sizeBytes: 1000, ...limits}), {kind: 'nothing'});
	t.deepEqual(planRanges({missing: [{offset: 1000, length: 50}], sizeBytes: 1000, ...limits}), {kind: 'nothing'});
});

test('holes nearer than the gap become one range, others stay apart', (t) => {
	const missing = [
		{offset: 300, length: 10},
		{offset: 0, length: 10},
		{offset: 20, length: 10},
	];
	t.deepEqual(planRanges({missing, sizeBytes: 1000, ...limits}), {
		kind: 'ranges',
		ranges: [
			{offset: 0, length: 30},
			{offset: 300, length: 10},
		],
	});
});

test('a long hole is split', (t) => {
	t.deepEqual(planRanges({missing: [{offset: 500, length: 250}], sizeBytes: 1000, ...limits}), {
		kind: 'ranges',
		ranges: [
			{offset: 500, length: 100},
			{offset: 600, length: 100},
			{offset: 700, length: 50},
		],
	});
});

test('a small object of which most is missing is fetched whole, a large one by ranges all the same', (t) => {
	t.deepEqual(planRanges({missing: [{offset: 0, length: 90}], sizeBytes: 100, ...limits}), {kind: 'whole'});
	t.is(planRanges({missing: [{offset: 0, length: 900}], sizeBytes: 1000, ...limits}).kind, 'ranges');
});

test('whatever is missing, the ranges cover it, lie in the object and keep to the longest request', (t) => {
	const range = fc.record({offset: fc.nat(2000), length: fc.nat(400)});
	fc.assert(
		fc.property(fc.array(range, {maxLength: 20}), fc.integer({min: 1, max: 1500}), (missing, sizeBytes) => {
			const plan = planRanges({missing, sizeBytes, ...limits, refetchRatio: 1});
			const ranges = plan.kind === 'ranges' ? plan.ranges : [];
			const covered = new Set(ranges.flatMap(({offset, length}) => Array.from({length}, (_, index) => offset + index)));
			const wanted = missing.flatMap(({offset, length}) => Array.from({length}, (_, index) => offset + index));
			t.true(wanted.filter((byte) => byte < sizeBytes).every((byte) => covered.has(byte)));
			t.true(ranges.every(({offset, length}) => length > 0 && length <= 100 && offset + length <= sizeBytes));
			t.is(
				covered.size,
				ranges.reduce((sum, {length}) => sum + length, 0),
			);
		}),
		{seed: 7, numRuns: 200},
	);
});
