import test from 'ava';
import fc from 'fast-check';
import {diffLines} from '#ota/console/box/diff-lines.ts';

test('what was there and what will be are both read off the difference', (t) => {
	const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), {minLength: 1}).map((lines) => lines.join('\n'));
	fc.assert(
		fc.property(text, text, (before, after) => {
			const lines = diffLines(before, after);
			const without = (change: string): string =>
				lines
					.filter((line) => line.change !== change)
					.map((line) => line.text)
					.join('\n');
			t.is(without('added'), before);
			t.is(without('removed'), after);
		}),
	);
});
