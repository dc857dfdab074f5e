import test from 'ava';
import fc from 'fast-check';
import {objectUriOfPath, parseObjectUri, pathOfObjectUri} from '#appliance/contract/object-uri.ts';
import {CodedError} from '#appliance/error/coded-error.ts';

for (const [text, expected] of [
	['http://dvb.gw/op/a.m4s', 'http://dvb.gw/op/a.m4s'],
	['HTTP://DVB.GW:80/op/a.m4s?x=1#y', 'http://dvb.gw/op/a.m4s'],
	['http://dvb.gw/op/../op/./a', 'http://dvb.gw/op/a'],
	['http://dvb.gw/op/%61%2Dä', 'http://dvb.gw/op/a-%C3%A4'],
	['http://dvb.gw/op/%2e%2e/a', 'http://dvb.gw/a'],
] as const) {
	test(`${text} is ${expected}`, (t) => {
		t.is(parseObjectUri(text) as string, expected);
	});
}

for (const text of [
	'',
	'a.m4s',
	'file:///etc/passwd',
	'http://dvb.gw/%00',
	'http://dvb.gw/a%5Cb',
	'http://dvb.gw/%zz',
	`http://dvb.gw/${'a'.repeat(256)}`,
	`http://dvb.gw/${'a/'.repeat(600)}`,
]) {
	test(`"${text.slice(0, 40)}" is refused`, (t) => {
		t.throws(() => parseObjectUri(text), {code: 'APPLIANCE_OBJECT_URI_INVALID'});
	});
}

test('a path comes back as it was, in one spelling', (t) => {
	t.is(pathOfObjectUri(objectUriOfPath('/op/a b')), '/op/a%20b');
});

test('whatever text is given: refused with the code, or a spelling that parses to itself and holds no dot segment', (t) => {
	const part = fc.constantFrom(
		'..',
		'%2e',
		'%2E%2e',
		'/',
		'//',
		'%2F',
		'%25',
		'%2525',
		'a',
		'\\',
		'%5c',
		'?',
		'#',
		':',
		'@',
		'ä',
	);
	const text = fc.oneof(
		fc.string(),
		fc.array(part, {maxLength: 12}).map((parts) => `http://dvb.gw/${parts.join('')}`),
	);
	fc.assert(
		fc.property(text, (given) => {
			try {
				const uri = parseObjectUri(given);
				t.is(parseObjectUri(uri), uri);
				t.false(pathOfObjectUri(uri).split('/').includes('..'));
			} catch (error) {
				t.true(error instanceof CodedError, `threw ${String(error)}`);
			}
		}),
		{numRuns: 2000, seed: 1},
	);
});
