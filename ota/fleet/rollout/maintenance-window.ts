import type {MaintenanceWindow} from '#appliance/contract/fleet/order-schema.ts';

const dayMs = 86_400_000;
const minuteMs = 60_000;
/** A window that opens once a week opens within eight days, whatever the clocks do. */
const searchDays = 8;

/**
 * When a box may begin to install: now, when one of its windows is open, or when the next one opens. Times are those of a
 * clock on the wall of the box: across a change to summer time a window opens at the same hour, and one whose hour does
 * not exist that night opens when the clock has jumped over it. Infinity when no window opens at all.
 */
export const nextWindowStartMs = (options: {
	readonly windows: readonly MaintenanceWindow[] | null;
	readonly timeZone: string;
	readonly nowMs: number;
}): number => {
	const {windows, nowMs} = options;
	if (windows === null || windows.length === 0) {
		return nowMs;
	}
	const zone = zoneOf(options.timeZone);
	// Yesterday's window may reach over midnight into today.
	const today = startOfLocalDay(nowMs + zone.offsetMs(nowMs));
	let next = Number.POSITIVE_INFINITY;
	for (let day = -1; day <= searchDays; day += 1) {
		const localDay = today + day * dayMs;
		for (const window of windows) {
			if (window.days.includes(isoDayOf(localDay))) {
				const {startMs, endMs} = boundsOf(window, localDay, zone);
				if (endMs > nowMs) {
					next = Math.min(next, Math.max(startMs, nowMs));
				}
			}
		}
	}
	return next;
};

type Zone = {readonly offsetMs: (utcMs: number) => number};

const boundsOf = (
	{from, to}: MaintenanceWindow,
	localDay: number,
	zone: Zone,
): {readonly startMs: number; readonly endMs: number} => {
	const [fromMs, toMs] = [timeOfDayMs(from), timeOfDayMs(to)];
	const passesMidnight = toMs <= fromMs;
	return {
		startMs: toUtc(localDay + fromMs, zone),
		endMs: toUtc(localDay + toMs + (passesMidnight ? dayMs : 0), zone),
	};
};

const timeOfDayMs = (text: string): number => {
	const [hours = 0, minutes = 0] = text.split(':').map(Number);
	return (hours * 60 + minutes) * minuteMs;
};

const startOfLocalDay = (localMs: number): number => Math.floor(localMs / dayMs) * dayMs;
const isoDayOf = (localDay: number): number => new Date(localDay).getUTCDay() || 7;

/** The instant at which a wall clock shows this; the first of two, and the end of a gap. */
const toUtc = (localMs: number, zone: Zone): number => {
	const before = zone.offsetMs(localMs - dayMs);
	const after = zone.offsetMs(localMs + dayMs);
	const candidates = [localMs - before, localMs - after].sort((a, b) => a - b);
	const found = candidates.find((utcMs) => utcMs + zone.offsetMs(utcMs) === localMs);
	// In a gap neither fits: by the offset before it, the clock has just jumped.
	return found ?? localMs - Math.min(before, after);
};

const zones = new Map<string, Zone>();
/** There are some 600 zones; boxes that make names up do not fill the memory. */
const zonesMax = 1000;

const zoneOf = (timeZone: string): Zone => {
	const known = zones.get(timeZone);
	if (known !== undefined) {
		return known;
	}
	const zone = makeZone(timeZone);
	if (zones.size < zonesMax) {
		zones.set(timeZone, zone);
	}
	return zone;
};

/** A zone that this server does not know counts as UTC. */
const makeZone = (timeZone: string): Zone => {
	let format: Intl.DateTimeFormat;
	try {
		format = new Intl.DateTimeFormat('en-US', {
			timeZone,
			hourCycle: 'h23',
			year: 'numeric',
			month: 'numeric',
			day: 'numeric',
			hour: 'numeric',
			minute: 'numeric',
			second: 'numeric',
		});
	} catch (error) {
		if (!(error instanceof RangeError)) {
			throw error;
		}
		return {offsetMs: () => 0};
	}
	return {
		offsetMs: (utcMs) => {
			const parts = new Map(format.formatToParts(utcMs).map(({type, value}) => [type, Number(value)]));
			const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
			const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
			return local - Math.floor(utcMs / 1000) * 1000;
		},
	};
};
