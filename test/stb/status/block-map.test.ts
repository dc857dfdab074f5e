import test from 'ava';
import {blockMap} from '#stb/status/block-map.ts';

test('an object is drawn in 64 parts, each as complete as it is', (t) => {
	const map = blockMap(
		[
			{offset: 0, length: 150},
			{offset: 6300, length: 100},
		],
		6400,
	);
	t.is(map.length, 64);
	t.deepEqual(map.slice(0, 3), [0, 0.5, 1]);
	t.is(map[63], 0);
});

test('small and empty objects have as many parts as bytes', (t) => {
	t.deepEqual(blockMap([{offset: 1, length: 1}], 3), [1, 0, 1]);
	t.deepEqual(blockMap([], 0), []);
});
