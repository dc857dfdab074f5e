const scaled = (value: number, units: readonly string[], step: number): string => {
	const power = value < step ? 0 : Math.min(units.length - 1, Math.floor(Math.log(value) / Math.log(step)));
	const number = value / step ** power;
	const digits = power === 0 || number >= 100 ? 0 : 1;
	return `${number.toFixed(digits)} ${units[power] ?? ''}`;
};

/** Decimal units, as disks and satellite rates are sold. */
export const formatBytes = (bytes: number): string => scaled(bytes, ['B', 'kB', 'MB', 'GB', 'TB'], 1000);

export const formatRate = (bitsPerSecond: number): string =>
	scaled(bitsPerSecond, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'], 1000);

export const formatCount = (count: number): string => count.toLocaleString('en');

export const formatPercent = (ratio: number): string => `${Math.floor(ratio * 100)} %`;

/** `1:02:03` or `2:03`. */
export const formatTime = (milliseconds: number): string => {
	const total = Math.max(0, Math.floor(milliseconds / 1000));
	const seconds = String(total % 60).padStart(2, '0');
	const minutes = Math.floor(total / 60) % 60;
	const hours = Math.floor(total / 3600);
	return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
};

/** A length for people: `42 min`, `1 h 35 min`. */
export const formatLength = (milliseconds: number): string => {
	const minutes = Math.max(1, Math.round(milliseconds / 60_000));
	if (milliseconds < 60_000) {
		return `${Math.round(milliseconds / 1000)} s`;
	}
	return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};
