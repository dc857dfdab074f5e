import test from 'ava';
import {flatFacts, wordsOf} from '#ota/console/format/flat-facts.ts';

test('what a request held is told as names and texts that people read', (t) => {
	t.deepEqual(
		flatFacts({
			name: 'Field service',
			severityMin: 'warning',
			target: {kind: 'email', to: ['a@example.org', 'b@example.org']},
			groups: [{name: 'canary', size: {percent: 1}}],
			timeoutMs: 90_000,
			startMs: 840,
			bytesMax: 7,
			sizeBytes: 2048,
			site: null,
			tags: [],
			enabled: false,
			password: '[removed]',
		}),
		[
			['name', 'Field service'],
			['severity min', 'warning'],
			['target kind', 'email'],
			['target to', 'a@example.org, b@example.org'],
			['groups 1 name', 'canary'],
			['groups 1 size percent', '1'],
			['timeout', '1 min'],
			['start', '840 ms'],
			['bytes max', '7'],
			['size', '2.0 KiB'],
			['site', 'none'],
			['tags', 'none'],
			['enabled', 'no'],
			['password', 'not kept'],
		],
	);
	t.deepEqual(flatFacts(null), []);
	t.deepEqual(flatFacts({}), []);
	t.regex(flatFacts({untilMs: Date.UTC(2026, 10, 22)})[0]?.[1] ?? '', /^2026-11-2\d \d\d:00:00$/u);
	t.is(wordsOf('giveCommand'), 'give command');
});
