import test from 'ava';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {matchesTarget} from '#appliance/filter/matches-target.ts';
import {shareOf} from '#appliance/filter/share-of.ts';

const moment = {nowMs: 0};
const share = {kind: 'share', filter: 'kind = stb', salt: 'r-1', from: 0, to: 1} as const;

test('shares are spread evenly, alike on every machine, and otherwise for another salt', (t) => {
	t.is(shareOf('r-1', 'stb-0001'), 0.843_673_406_568_768_8);
	const counts = Array.from({length: 10}, () => 0);
	for (let index = 0; index < 20_000; index += 1) {
		const tenth = Math.floor(shareOf('salt', `stb-${index}`) * 10);
		counts[tenth] = (counts[tenth] ?? 0) + 1;
	}
	t.true(
		counts.every((count) => count > 1800 && count < 2200),
		counts.join(' '),
	);
	t.not(shareOf('r-1', 'stb-0001'), shareOf('r-2', 'stb-0001'));
});

test('waves that meet take every box once', (t) => {
	for (let index = 0; index < 500; index += 1) {
		const facts = {id: `stb-${index}`, kind: 'stb'};
		const waves = [
			{...share, to: 0.25},
			{...share, from: 0.25, to: 0.5},
			{...share, from: 0.5},
		];
		t.is(waves.filter((wave) => matchesTarget(wave, facts, moment)).length, 1);
	}
});

test('a target is one box, or a share of those that match its filter', (t) => {
	const facts = {id: 'stb-1', kind: 'stb'};
	t.true(matchesTarget({kind: 'box', deviceId: deviceIdSchema.parse('stb-1')}, facts, moment));
	t.false(matchesTarget({kind: 'box', deviceId: deviceIdSchema.parse('stb-2')}, facts, moment));
	t.true(matchesTarget(share, facts, moment));
	t.false(matchesTarget(share, {id: 'stb-1', kind: 'headend'}, moment));
	t.throws(() => matchesTarget({...share, filter: '('}, facts, moment), {code: 'APPLIANCE_FILTER_SYNTAX'});
});
