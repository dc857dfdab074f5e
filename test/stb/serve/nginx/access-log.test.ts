import test from 'ava';
import {objectUriOfPath} from '#appliance/contract/object-uri.ts';
import {parseUses} from '#stb/serve/nginx/access-log.ts';

test('uses are counted by object, and what is no line of ours is passed over', (t) => {
	const lines = [
		'1.250 /streamverse/a b.m4s',
		'',
		'x',
		'2.500 /streamverse/a b.m4s',
		'abc /streamverse/c',
		'1.0 c',
		'3.000 /streamverse/\\x22',
	];
	t.deepEqual(parseUses(lines), [{uri: objectUriOfPath('/streamverse/a%20b.m4s'), count: 2, usedMs: 2500}]);
});
