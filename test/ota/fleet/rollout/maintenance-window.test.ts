import test from 'ava';
import fc from 'fast-check';
import {nextWindowStartMs} from '#ota/fleet/rollout/maintenance-window.ts';

const everyDay = [1, 2, 3, 4, 5, 6, 7];
const at = (text: string): number => Date.parse(text);
const startOf = (now: string, timeZone: string, window: {days?: readonly number[]; from: string; to: string}): string =>
	new Date(
		nextWindowStartMs({
			windows: [{from: window.from, to: window.to, days: [...(window.days ?? everyDay)]}],
			timeZone,
			nowMs: at(now),
		}),
	).toISOString();

for (const [what, now, timeZone, window, expected] of [
	['that is open is now', '2026-01-10T02:30:00Z', 'UTC', {from: '02:00', to: '04:00'}, '2026-01-10T02:30:00.000Z'],
	['that ends now is over', '2026-01-10T04:00:00Z', 'UTC', {from: '02:00', to: '04:00'}, '2026-01-11T02:00:00.000Z'],
	['passes midnight', '2026-01-10T01:00:00Z', 'UTC', {from: '23:00', to: '03:00'}, '2026-01-10T01:00:00.000Z'],
	[
		'of Monday reaches into Tuesday',
		'2026-01-13T00:30:00Z',
		'UTC',
		{days: [1], from: '23:00', to: '01:00'},
		'2026-01-13T00:30:00.000Z',
	],
	[
		'of Monday is not of Tuesday',
		'2026-01-13T01:30:00Z',
		'UTC',
		{days: [1], from: '23:00', to: '01:00'},
		'2026-01-19T23:00:00.000Z',
	],
	[
		'is by the clock of the box',
		'2026-01-10T12:00:00Z',
		'Asia/Kolkata',
		{from: '02:00', to: '04:00'},
		'2026-01-10T20:30:00.000Z',
	],
	[
		'is an hour earlier in summer',
		'2026-07-10T12:00:00Z',
		'Europe/Berlin',
		{from: '02:00', to: '04:00'},
		'2026-07-11T00:00:00.000Z',
	],
	[
		'opens after the gap of spring',
		'2026-03-28T20:00:00Z',
		'Europe/Berlin',
		{from: '02:30', to: '04:00'},
		'2026-03-29T01:30:00.000Z',
	],
	[
		'opens at the first of two in autumn',
		'2026-10-24T20:00:00Z',
		'Europe/Berlin',
		{from: '02:30', to: '04:00'},
		'2026-10-25T00:30:00.000Z',
	],
	[
		'in a zone that nobody knows is UTC',
		'2026-01-10T00:00:00Z',
		'Mars/Olympus',
		{from: '02:00', to: '04:00'},
		'2026-01-10T02:00:00.000Z',
	],
] as const) {
	test(`a window ${what}`, (t) => {
		t.is(startOf(now, timeZone, window), expected);
	});
}

test('no window means at any time', (t) => {
	t.is(nextWindowStartMs({windows: null, timeZone: 'UTC', nowMs: 5}), 5);
	t.is(nextWindowStartMs({windows: [], timeZone: 'UTC', nowMs: 5}), 5);
});

test('a window is never in the past, and comes within eight days in any zone', (t) => {
	const time = fc
		.tuple(fc.nat(23), fc.nat(59))
		.map((pair) => pair.map((each) => String(each).padStart(2, '0')).join(':'));
	t.notThrows(() =>
		fc.assert(
			fc.property(
				fc.integer({min: at('2020-01-01T00:00:00Z'), max: at('2035-01-01T00:00:00Z')}),
				fc.constantFrom(
					'UTC',
					'Europe/Berlin',
					'America/New_York',
					'Australia/Lord_Howe',
					'Asia/Kathmandu',
					'Pacific/Apia',
				),
				fc.uniqueArray(fc.integer({min: 1, max: 7}), {minLength: 1}),
				time,
				time,
				(nowMs, timeZone, days, from, to) => {
					const startMs = nextWindowStartMs({windows: [{days, from, to}], timeZone, nowMs});
					return startMs >= nowMs && startMs <= nowMs + 8 * 86_400_000;
				},
			),
			{numRuns: 300},
		),
	);
});
