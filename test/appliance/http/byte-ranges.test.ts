import test from 'ava';
import fc from 'fast-check';
import {parseByteRanges, rangesMax} from '#appliance/http/byte-ranges.ts';

const answers = test.macro({
	exec: (t, header: string, sizeBytes: number, expected: 'whole' | 'unsatisfiable' | readonly [number, number][]) => {
		const answer = parseByteRanges(header, sizeBytes);
		if (typeof expected === 'string') {
			t.is(answer.kind, expected);
			return;
		}
		t.deepEqual(answer, {kind: 'ranges', ranges: expected.map(([start, end]) => ({start, end}))});
	},
	title: (_, header: string, sizeBytes: number) =>
		`the range "${header.slice(0, 40)}" of ${sizeBytes} bytes is resolved`,
});

test(answers, 'bytes=0-0', 10, [[0, 0]]);
test(answers, 'bytes=5-', 10, [[5, 9]]);
test(answers, 'bytes=-3', 10, [[7, 9]]);
test(answers, 'bytes=-300', 10, [[0, 9]]);
test(answers, 'BYTES=2-300', 10, [[2, 9]]);
test(answers, 'bytes=0-1, ,4-5', 10, [
	[0, 1],
	[4, 5],
]);
test(answers, 'bytes=4-5,0-4', 10, [[0, 5]]);
test(answers, 'bytes=8-9,0-1,1-3', 10, [
	[8, 9],
	[0, 3],
]);
test(answers, 'bytes=0-1,2-3', 10, [[0, 3]]);
test(answers, 'bytes=10-,0-0', 10, [[0, 0]]);
test(answers, 'bytes=10-', 10, 'unsatisfiable');
test(answers, 'bytes=-0', 10, 'unsatisfiable');
test(answers, 'bytes=0-', 0, 'unsatisfiable');
test(answers, 'bytes=-5', 0, 'unsatisfiable');
test(answers, 'bytes=5-4', 10, 'whole');
test(answers, 'bytes=a-b', 10, 'whole');
test(answers, 'bytes=', 10, 'whole');
test(answers, 'bytes=-', 10, 'whole');
test(answers, 'seconds=1-2', 10, 'whole');
test(answers, 'bytes=99999999999999999999-', 10, 'whole');
test(
	answers,
	`bytes=${Array.from({length: rangesMax + 1}, (_, index) => `${index * 3}-${index * 3}`).join(',')}`,
	5000,
	'whole',
);

test('ranges never overlap, lie inside, and together hold exactly the bytes asked for', (t) => {
	const range = fc
		.tuple(fc.nat(40), fc.nat(40))
		.map(([start, lengthMinusOne]) => [start, start + lengthMinusOne] as const);
	fc.assert(
		fc.property(fc.array(range, {minLength: 1, maxLength: 12}), fc.integer({min: 1, max: 60}), (asked, sizeBytes) => {
			const answer = parseByteRanges(`bytes=${asked.map(([start, end]) => `${start}-${end}`).join(',')}`, sizeBytes);
			const wanted = new Set<number>();
			for (const [start, end] of asked) {
				for (let at = start; at <= Math.min(end, sizeBytes - 1); at++) {
					wanted.add(at);
				}
			}
			if (answer.kind !== 'ranges') {
				return answer.kind === 'unsatisfiable' && wanted.size === 0;
			}
			const got: number[] = [];
			for (const {start, end} of answer.ranges) {
				for (let at = start; at <= end; at++) {
					got.push(at);
				}
			}
			return got.length === wanted.size && got.every((at) => wanted.has(at));
		}),
	);
	t.pass();
});
