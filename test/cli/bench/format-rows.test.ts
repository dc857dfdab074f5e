import test from 'ava';
import {formatRows, missedBars} from '#cli/bench/format-rows.ts';

const kept = {name: 'fec', value: 12_345.6, unit: 'Gbit/s', reference: 'bare', ratio: 0.9, bar: 0.8, pass: true};
const missed = {...kept, name: 'serve', ratio: 0.5, pass: false};
const plain = {name: 'plan', value: 0.001_235_4, unit: 's'};

test('a row a figure, in columns', (t) => {
	const lines = formatRows([kept, missed, plain]).split('\n');
	t.is(lines.length, 4);
	t.regex(lines[1] ?? '', /^fec +12,346 +Gbit\/s +0\.900 +0\.8 +kept +bare$/);
	t.regex(lines[2] ?? '', /MISSED/);
	t.regex(lines[3] ?? '', /^plan +0\.001235 +s$/);
});

test('a promise that was not judged counts as missed', (t) => {
	const {pass: _, ...unjudged} = kept;
	t.deepEqual(missedBars([kept, missed, plain, unjudged]), [missed, unjudged]);
});
