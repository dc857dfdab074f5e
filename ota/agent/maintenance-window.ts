import type {MaintenanceWindow} from '#appliance/contract/fleet/order-schema.ts';

const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** Whether one of the windows is open, by the box's own wall clock. No windows: always. */
export const isWindowOpen = (
	windows: readonly MaintenanceWindow[] | undefined,
	{nowMs, timeZone}: {readonly nowMs: number; readonly timeZone: string},
): boolean => {
	if (windows === undefined || windows.length === 0) {
		return true;
	}
	const {day, time} = localTime(nowMs, timeZone);
	const yesterday = day === 1 ? 7 : day - 1;
	return windows.some(({days, from, to}) =>
		from < to
			? days.includes(day) && from <= time && time < to
			: // Past midnight; equal ends make a whole day. The day is that on which the window opens.
				(days.includes(day) && from <= time) || (days.includes(yesterday) && time < to),
	);
};

/** ISO weekday and `HH:MM`. A time zone that nobody knows is taken for UTC. */
const localTime = (nowMs: number, timeZone: string): {readonly day: number; readonly time: string} => {
	const parts = new Map(
		formatterOf(timeZone)
			.formatToParts(nowMs)
			.map(({type, value}) => [type, value]),
	);
	return {
		day: weekdays.indexOf(parts.get('weekday') ?? '') + 1,
		time: `${parts.get('hour')}:${parts.get('minute')}`,
	};
};

const formatterOf = (timeZone: string): Intl.DateTimeFormat => {
	const options = {weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23'} as const;
	try {
		return new Intl.DateTimeFormat('en-GB', {...options, timeZone});
	} catch {
		return new Intl.DateTimeFormat('en-GB', {...options, timeZone: 'UTC'});
	}
};
