const minuteMs = 60_000;

const units = [
	{name: 'd', lengthMs: 1440 * minuteMs},
	{name: 'h', lengthMs: 60 * minuteMs},
	{name: 'min', lengthMs: minuteMs},
	{name: 's', lengthMs: 1000},
] as const;

/** `2026-11-21 07:05 UTC`: for whoever reads a message, wherever they are. */
export const sayMoment = (atMs: number): string => {
	const [date = '', time = ''] = new Date(atMs).toISOString().split('T');
	return `${date} ${time.slice(0, 5)} UTC`;
};

/** `12 min`: in the largest unit of which it is one at least, rounded down. */
export const sayDuration = (durationMs: number): string => {
	const unit = units.find(({lengthMs}) => durationMs >= lengthMs);
	return unit === undefined ? '0 s' : `${Math.floor(durationMs / unit.lengthMs)} ${unit.name}`;
};
