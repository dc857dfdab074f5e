import test from 'ava';
import {parseTitles} from '#stb/signalling/parse-titles.ts';
import {filmTitle, newsTitle} from '#test/helper/sample-signalling.ts';

const parse = (...titles: readonly unknown[]) => parseTitles(JSON.stringify({version: 1, titles}));

test('a broken title costs only itself, and one with another’s id is left out', (t) => {
	const {titles, problems} = parse(
		newsTitle,
		{...filmTitle, manifests: []},
		7,
		null,
		{...newsTitle, name: 'x'},
		filmTitle,
	);
	t.deepEqual(
		titles.map(({id}) => id),
		[newsTitle.id, filmTitle.id],
	);
	t.deepEqual(
		problems.map(({where}) => where),
		['titles[1]', 'titles[2]', 'titles[3]', 'titles[4]'],
	);
});

test('keys of a newer headend are dropped', (t) => {
	t.deepEqual(parse({...filmTitle, rating: 12}).titles, [filmTitle]);
});

test('addresses that are no objects’ are refused', (t) => {
	const manifest = {uri: 'javascript:alert(1)', contentType: 'application/dash+xml'};
	t.deepEqual(parse({...filmTitle, manifests: [manifest]}).titles, []);
	t.deepEqual(parse({...filmTitle, imageUri: 'file:///etc/passwd'}).titles, []);
});

test('what is no list of titles is refused with a code', (t) => {
	t.like(
		t.throws(() => parseTitles('{')),
		{code: 'STB_SIGNALLING_MALFORMED'},
	);
	t.like(
		t.throws(() => parseTitles('[]')),
		{code: 'STB_SIGNALLING_UNEXPECTED'},
	);
	t.like(
		t.throws(() => parseTitles('{"version":2,"titles":[]}')),
		{code: 'STB_SIGNALLING_UNEXPECTED'},
	);
	t.like(
		t.throws(() => parseTitles(' '.repeat(17 * 1024 * 1024))),
		{code: 'STB_SIGNALLING_TOO_LARGE'},
	);
});
