import test from 'ava';
import {parse} from 'yaml';
import {boxFileText} from '#image/seed/apply-seed.ts';
import {seedSchema} from '#image/seed/seed-schema.ts';

const template = 'version: 1\nbox:\n  kind: stb\n  stateDirectory: /state\nfleet:\n  tags: [factory]\n';
const defaultId = 'stb-001122334455';
const box = {kind: 'stb', stateDirectory: '/state'};

test('a box without a seed is the image’s own, with the number of its network card', (t) => {
	t.deepEqual(parse(boxFileText({template, current: undefined, seed: undefined, defaultId})), {
		...{version: 1, box: {...box, id: defaultId}, fleet: {tags: ['factory']}},
	});
});

test('a seed says which box it is, where it stands, and more', (t) => {
	const seed = seedSchema.parse({
		...{version: 1, deviceId: 'nairobi-3', site: 'nairobi', tags: ['pilot'], timeZone: 'Africa/Nairobi'},
		config: {stb: {cache: {sizeBytes: 5}}},
	});
	t.deepEqual(parse(boxFileText({template, current: undefined, seed, defaultId})), {
		...{version: 1, box: {...box, id: 'nairobi-3'}, stb: {cache: {sizeBytes: 5}}},
		fleet: {site: 'nairobi', tags: ['pilot'], timeZone: 'Africa/Nairobi'},
	});
});

test('a seed that is brought later keeps what it says nothing of', (t) => {
	const current = 'version: 1\nbox: {id: nairobi-3, kind: stb}\nfleet: {site: nairobi}\nstb: {receive: {port: 4000}}\n';
	const file = parse(boxFileText({template, current, seed: {version: 1, site: 'mombasa'}, defaultId}));
	t.like(file, {box: {id: 'nairobi-3'}, fleet: {site: 'mombasa'}, stb: {receive: {port: 4000}}});
});

test('null in a seed’s configuration takes a key away, as RFC 7396 says', (t) => {
	const current = 'version: 1\nbox: {id: a}\nstb: {receive: {port: 4000}}\n';
	const file = parse(boxFileText({template, current, seed: {version: 1, config: {stb: null}}, defaultId}));
	t.false(Object.hasOwn(file, 'stb'));
});

test('a seed’s configuration does not reach a prototype', (t) => {
	const seed = {version: 1, config: JSON.parse('{"__proto__": {"polluted": true}}')} as const;
	boxFileText({template, current: undefined, seed, defaultId});
	t.false('polluted' in {});
});
