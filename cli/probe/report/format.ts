const scaled = (value: number, units: readonly string[]): string => {
	const power = value < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
	const number = value / 1000 ** power;
	return `${number.toFixed(power === 0 || number >= 100 ? 0 : 1)} ${units[power] ?? ''}`;
};

export const formatBytes = (bytes: number): string => scaled(bytes, ['B', 'kB', 'MB', 'GB', 'TB']);
export const formatRate = (bps: number): string => scaled(bps, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s']);
export const formatRatio = (ratio: number): string =>
	ratio === 0 ? '0' : `${(ratio * 100).toFixed(ratio < 0.001 ? 3 : ratio < 0.1 ? 2 : 1)} %`;
export const formatSpan = (ms: number): string =>
	ms < 1000 ? `${Math.round(ms)} ms` : ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;

/** What came from outside must not steer a terminal. */
export const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\u{fffd}');
