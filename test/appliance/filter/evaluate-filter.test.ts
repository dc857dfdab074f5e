import test from 'ava';
import fc from 'fast-check';
import {evaluateFilter} from '#appliance/filter/evaluate-filter.ts';
import type {FilterFacts} from '#appliance/filter/filter-fields.ts';
import {parseFilter} from '#appliance/filter/parse-filter.ts';

const nowMs = Date.parse('2026-11-21T04:00:00Z');
const box: FilterFacts = {
	id: 'stb-0042',
	kind: 'stb',
	site: 'lyon',
	tags: ['beta', 'rack-7'],
	model: 'A78 Mini',
	serial: 'SN100',
	release: '2.4.0-rc.2',
	presence: 'online',
	health: 'ok',
	lastSeenMs: nowMs - 3_600_000,
	timeZone: 'Europe/Paris',
};

const matches = (filter: string, facts = box): boolean => evaluateFilter(parseFilter(filter), facts, {nowMs});

test('each kind of comparison matches what it says', (t) => {
	for (const filter of [
		'',
		'kind = stb and release < 2.4.0 and (tag = beta or site in (paris)) and not health = critical',
		'0042',
		'mini',
		'sn10',
		'tag = rack-*',
		'tag ~ ACK',
		'model = "a78 mini"',
		'release >= 2.4.0-rc.2',
		'release > 2.4.0-rc',
		'lastSeen > 24h ago',
		'lastSeen < 30m ago',
		'lastSeen > 2026-11-21',
		'not enrolled > 1d ago',
		'timeZone = Europe/*',
		'updateRelease != 1.0.0',
	]) {
		t.true(matches(filter), filter);
	}
	for (const filter of [
		'paris',
		'tag != beta',
		'release = 2.4.0',
		'release > 2.4.0-rc.10',
		'lastSeen < 2h ago',
		'enrolled < 1d ago',
		'updateRelease < 9.0.0',
		'id = stb',
		'id = *43',
		'site not in (lyon, paris)',
	]) {
		t.false(matches(filter), filter);
	}
});

test('a release that is no version has no place in the order', (t) => {
	t.false(matches('release < 9.0.0 or release >= 0.0.0', {...box, release: 'factory'}));
});

test('a wildcard means the same as its regular expression', (t) => {
	const letters = fc.string({unit: fc.constantFrom('a', 'b'), maxLength: 8});
	const pattern = fc
		.array(fc.constantFrom('a', 'b', 'ab', '*'), {minLength: 1, maxLength: 6})
		.map((parts) => parts.join(''));
	fc.assert(
		fc.property(letters, pattern, (id, wildcard) => {
			const expected = new RegExp(`^${wildcard.replaceAll('*', '.*')}$`, 'u').test(id);
			t.is(matches(`id = ${wildcard}`, {id}), expected, `${id} = ${wildcard}`);
		}),
		{numRuns: 1000},
	);
});
