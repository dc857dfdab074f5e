import test from 'ava';
import {suggestionsFor} from '#ota/console/boxes/filter-suggestions.ts';

const known = {site: ['oslo', 'osaka', 'lagos'], release: ['2.4.0']};

const suggests = test.macro((t, before: string, words: readonly string[]) => {
	t.deepEqual(suggestionsFor(before, known).words, words);
});

test('a field is completed from its first letters', suggests, 'ki', ['kind']);
test('a choice is completed by its values', suggests, 'health=c', ['critical']);
test('what only the fleet knows is completed as well', suggests, 'kind=stb site=os', ['oslo', 'osaka']);
test('values are completed within a list', suggests, 'site in (lagos, os', ['oslo', 'osaka']);
test('after a field comes an operator', suggests, 'kind', ['=', '!=', '~']);
