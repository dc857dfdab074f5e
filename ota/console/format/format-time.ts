const units = [
	['d', 86_400_000],
	['h', 3_600_000],
	['min', 60_000],
	['s', 1000],
] as const;

/** Two units at most: `3 d 4 h`, `12 min`, `8 s`. */
export const formatDuration = (ms: number): string => {
	const rest = Math.max(0, ms);
	const index = units.findIndex(([, unitMs]) => rest >= unitMs);
	const [name, unitMs] = units[index] ?? ['s', 1000];
	const whole = Math.floor(rest / unitMs);
	const [nextName, nextMs] = units[index + 1] ?? ['', 0];
	const next = nextMs > 0 && nextName !== 's' && whole < 10 ? Math.floor((rest % unitMs) / nextMs) : 0;
	return next > 0 ? `${whole} ${name} ${next} ${nextName}` : `${whole} ${name}`;
};

export const formatAge = (atMs: number, nowMs: number): string =>
	nowMs - atMs < 5000 ? 'now' : `${formatDuration(nowMs - atMs)} ago`;

const dateTime = new Intl.DateTimeFormat('en-CA', {
	year: 'numeric',
	month: '2-digit',
	day: '2-digit',
	hour: '2-digit',
	minute: '2-digit',
	second: '2-digit',
	hour12: false,
});

/** In the reader's own zone, sortable by eye: `2026-11-21 05:12:33`. */
export const formatDateTime = (atMs: number): string => dateTime.format(atMs).replace(',', '');

const instant = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/gu;

/** A sentence of the server, whose instants are in UTC, in the reader's own zone. */
export const withOwnTimes = (text: string): string => text.replaceAll(instant, (at) => formatDateTime(Date.parse(at)));

/** The hour on a wall elsewhere. */
export const formatClock = (atMs: number, timeZone: string): string => {
	try {
		return new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', timeZone}).format(atMs);
	} catch {
		return '–';
	}
};

const tickClock = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit'});
const tickDay = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short'});

/** Below a chart: `14:00`, and the day where one begins. */
export const formatTick = (atMs: number): string => {
	const clock = tickClock.format(atMs);
	return clock === '00:00' ? tickDay.format(atMs) : clock;
};
