import test from 'ava';
import {type RangeSet, subtractRanges} from '#ota/agent/fetch/range-set.ts';

test('what is left of ranges without others is what a count byte by byte says', (t) => {
	let state = 7;
	const random = (below: number): number => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return Math.floor((state / 2 ** 32) * below);
	};
	const some = (): RangeSet => {
		const ranges: [number, number][] = [];
		for (let at = random(4); at < 40; ) {
			const to = at + 1 + random(6);
			ranges.push([at, to]);
			at = to + 1 + random(5);
		}
		return ranges;
	};
	const bytesOf = (ranges: RangeSet): number[] =>
		ranges.flatMap(([from, to]) => Array.from({length: to - from}, (_, index) => from + index));
	for (let round = 0; round < 500; round++) {
		const [ranges, others] = [some(), some()];
		const gone = new Set(bytesOf(others));
		t.deepEqual(
			bytesOf(subtractRanges(ranges, others)),
			bytesOf(ranges).filter((byte) => !gone.has(byte)),
		);
	}
	t.deepEqual(subtractRanges([[0, 10]], []), [[0, 10]]);
});
