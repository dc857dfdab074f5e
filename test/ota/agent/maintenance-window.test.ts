import test from 'ava';
import {isWindowOpen} from '#ota/agent/maintenance-window.ts';

const night = [{days: [1, 2, 3, 4, 5], from: '23:00', to: '04:30'}];
const at = (iso: string, timeZone: string, windows = night): boolean =>
	isWindowOpen(windows, {nowMs: Date.parse(iso), timeZone});

test('a window is meant in the box’s own time zone, over midnight and the change of the clock', (t) => {
	// 2026-11-23 is a Monday.
	t.true(at('2026-11-23T23:30:00Z', 'UTC'));
	t.true(at('2026-11-24T04:29:00Z', 'UTC'), 'the morning after Monday');
	t.false(at('2026-11-24T04:30:00Z', 'UTC'));
	t.false(at('2026-11-23T02:00:00Z', 'UTC'), 'the night of Sunday is none');
	t.true(at('2026-11-28T02:00:00Z', 'UTC'), 'the night of Friday ends on Saturday');
	t.false(at('2026-11-28T23:30:00Z', 'UTC'));
	t.true(at('2026-11-23T15:00:00Z', 'Asia/Tokyo'), 'midnight of Tuesday in Tokyo');
	t.false(at('2026-11-23T23:30:00Z', 'Asia/Tokyo'));
	t.true(at('2026-07-06T21:30:00Z', 'Europe/Paris'), 'summer time');
	t.false(at('2026-12-07T21:30:00Z', 'Europe/Paris'), 'winter time');
});

test('no window is always; equal ends are the whole day; a time zone that nobody knows is UTC', (t) => {
	t.true(isWindowOpen(undefined, {nowMs: 0, timeZone: 'UTC'}));
	t.true(isWindowOpen([], {nowMs: 0, timeZone: 'UTC'}));
	t.true(at('2026-11-23T12:00:00Z', 'UTC', [{days: [1], from: '08:00', to: '08:00'}]));
	t.true(at('2026-11-23T23:30:00Z', 'Mars/Olympus'));
});
