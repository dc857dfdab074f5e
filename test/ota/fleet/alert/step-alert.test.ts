import test from 'ava';
import fc from 'fast-check';
import {judgeNumber} from '#ota/fleet/alert/judge-number.ts';
import {defaultSettings} from '#ota/fleet/alert/rule-settings.ts';
import {flapCountMax, flapWindowMs, type OpenAlert, stepAlert} from '#ota/fleet/alert/step-alert.ts';

const settings = {...defaultSettings.temperature, raiseAfterMs: 1000, clearAfterMs: 2000};

type Look = readonly [atMs: number, verdict: 'bad' | 'good' | 'unchanged'];

/** The effects of a row of looks, each with its time. */
const play = (looks: readonly Look[], rule = settings): readonly (readonly [number, string])[] => {
	let alert: OpenAlert | undefined;
	const effects: [number, string][] = [];
	for (const [nowMs, verdict] of looks) {
		const {next, effect} = stepAlert(alert, {verdict}, {settings: rule, nowMs});
		alert = next === 'forget' ? undefined : (next ?? alert);
		if (effect !== 'none') {
			effects.push([nowMs, effect]);
		}
	}
	return effects;
};

const table: readonly (readonly [string, readonly Look[], readonly (readonly [number, string])[]])[] = [
	[
		'what does not last is nothing',
		[
			[0, 'bad'],
			[900, 'good'],
			[5000, 'unchanged'],
		],
		[],
	],
	[
		'what lasts is raised once',
		[
			[0, 'bad'],
			[1000, 'bad'],
			[2000, 'bad'],
		],
		[[1000, 'raised']],
	],
	[
		'time alone raises it, when nothing new is heard',
		[
			[0, 'bad'],
			[1500, 'unchanged'],
		],
		[[1500, 'raised']],
	],
	[
		'it is cleared when it was good for long enough',
		[
			[0, 'bad'],
			[1000, 'bad'],
			[2000, 'good'],
			[3000, 'good'],
			[4000, 'unchanged'],
		],
		[
			[1000, 'raised'],
			[4000, 'cleared'],
		],
	],
	[
		'between the thresholds it stays as it is',
		[
			[0, 'bad'],
			[1000, 'bad'],
			[2000, 'unchanged'],
			[60_000, 'unchanged'],
		],
		[[1000, 'raised']],
	],
	[
		'bad again before it is cleared begins nothing anew',
		[
			[0, 'bad'],
			[1000, 'bad'],
			[2000, 'good'],
			[3000, 'bad'],
			[4500, 'good'],
			[6000, 'good'],
		],
		[[1000, 'raised']],
	],
	[
		'nothing is nothing',
		[
			[0, 'good'],
			[1, 'unchanged'],
		],
		[],
	],
];

for (const [title, looks, effects] of table) {
	test(title, (t) => {
		t.deepEqual(play(looks), effects);
	});
}

test('an alert that flaps is the same one, and soon stays open', (t) => {
	const quick = {...settings, raiseAfterMs: 0, clearAfterMs: 0};
	const looks = Array.from({length: 40}, (_, index): Look => [index * 1000, index % 2 === 0 ? 'bad' : 'good']);
	const effects = play(looks, quick);
	t.is(effects.filter(([, effect]) => effect === 'raised').length, flapCountMax + 1);
	t.is(effects.at(-1)?.[1], 'raised', 'it is not cleared while it goes on');
	const after = play([...looks, [40_000, 'good'], [40_000 + flapWindowMs, 'good']], quick);
	t.deepEqual(after.at(-1), [39_000 + flapWindowMs + 1000, 'cleared']);
});

test('a rule that is switched off clears what it raised', (t) => {
	const open: OpenAlert = {state: 'raised', bad: true, sinceMs: 0, raisedMs: 0, clearedMs: null, count: 1};
	const off = {...settings, enabled: false, clearAfterMs: 0};
	t.is(stepAlert(open, {verdict: 'bad'}, {settings: off, nowMs: 1}).effect, 'cleared');
	t.deepEqual(stepAlert(undefined, {verdict: 'bad'}, {settings: off, nowMs: 1}), {next: undefined, effect: 'none'});
});

test('whatever happens, raised and cleared take turns, and never within the times of the rule', (t) => {
	const look = fc.tuple(fc.integer({min: 1, max: 3000}), fc.constantFrom('bad', 'good', 'unchanged'));
	fc.assert(
		fc.property(fc.array(look, {maxLength: 80}), (steps) => {
			let nowMs = 0;
			const effects = play(
				steps.map(([afterMs, verdict]): Look => {
					nowMs += afterMs;
					return [nowMs, verdict as Look[1]];
				}),
			);
			effects.forEach(([atMs, effect], index) => {
				t.is(effect, index % 2 === 0 ? 'raised' : 'cleared');
				const gapMs = atMs - (effects[index - 1]?.[0] ?? 0);
				t.true(gapMs >= (effect === 'raised' ? settings.raiseAfterMs : settings.clearAfterMs));
			});
		}),
	);
});

test('the order of the thresholds tells which side is bad', (t) => {
	const hot = {raiseAt: 90, clearAt: 80};
	t.deepEqual(
		[95, 90, 85, 80, 20].map((value) => judgeNumber(value, hot)),
		['bad', 'bad', 'unchanged', 'good', 'good'],
	);
	const full = {raiseAt: 5, clearAt: 8};
	t.deepEqual(
		[2, 5, 6, 8, 50].map((value) => judgeNumber(value, full)),
		['bad', 'bad', 'unchanged', 'good', 'good'],
	);
	t.is(judgeNumber(1, {raiseAt: null, clearAt: null}), 'good');
});
