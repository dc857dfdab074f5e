const whole = new Intl.NumberFormat('en-US', {maximumFractionDigits: 0});

/** `12,345` */
export const formatCount = (value: number): string => whole.format(value);

const powers = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export const formatBytes = (bytes: number): string => {
	const power = Math.min(powers.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
	const value = bytes / 1024 ** power;
	return `${value >= 100 || power === 0 ? value.toFixed(0) : value.toFixed(1)} ${powers[power]}`;
};

/** Never 100 % while something is missing, never 0 % while something is there. */
export const formatPercent = (share: number): string => {
	const percent = share * 100;
	if (percent > 0 && percent < 1) {
		return '<1 %';
	}
	return `${percent < 100 ? Math.min(99, Math.round(percent)) : 100} %`;
};

export const plural = (count: number, one: string, many = `${one}s`): string =>
	`${formatCount(count)} ${count === 1 ? one : many}`;

const suffixes = [
	['_bytes_per_second', (value: number) => `${formatBytes(value)}/s`],
	['_bytes', formatBytes],
	['_celsius', (value: number) => `${value.toFixed(1)} °C`],
	['_percent', (value: number) => `${value.toFixed(1)} %`],
	['_ratio', (value: number) => `${(value * 100).toFixed(1)} %`],
	['_db', (value: number) => `${value.toFixed(1)} dB`],
	['_decibel', (value: number) => `${value.toFixed(1)} dB`],
	['_dbm', (value: number) => `${value.toFixed(1)} dBm`],
	['_bps', (value: number) => `${formatScaled(value)}bit/s`],
	['_seconds', (value: number) => `${formatScaled(value)}s`],
	['_ms', (value: number) => `${value.toFixed(0)} ms`],
] as const;

/** A metric's value in the unit that its name ends in (spool-schema.ts). */
export const formatMetric = (name: string, value: number): string =>
	(suffixes.find(([suffix]) => name.endsWith(suffix))?.[1] ?? formatScaled)(value).trim();

/** `disk_free_bytes` → `disk free`. */
export const metricTitle = (name: string): string => {
	const suffix = suffixes.find(([end]) => name.endsWith(end))?.[0] ?? '';
	return (suffix === '' ? name : name.slice(0, -suffix.length)).replaceAll('_', ' ');
};

const formatScaled = (value: number): string => {
	const size = Math.abs(value);
	const [divisor, prefix] = size >= 1e9 ? [1e9, 'G'] : size >= 1e6 ? [1e6, 'M'] : size >= 1e4 ? [1e3, 'k'] : [1, ''];
	const scaled = value / divisor;
	return `${Number.isInteger(scaled) ? scaled : scaled.toFixed(Math.abs(scaled) >= 100 ? 0 : 1)} ${prefix}`;
};
