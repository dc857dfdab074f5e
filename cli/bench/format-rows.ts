import type {BenchRow} from '#test/bench/bench-row.ts';

const digits = (value: number): string =>
	Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(4)));

const verdict = ({bar, pass}: BenchRow): string => {
	if (bar === undefined) {
		return '';
	}
	return pass === true ? 'kept' : 'MISSED';
};

/** A table for people: one row a figure, columns as wide as they must be. */
export const formatRows = (rows: readonly BenchRow[]): string => {
	const header = ['figure', 'value', 'unit', 'ratio', 'bar', '', 'against'];
	const cells = rows.map((row) => [
		row.name,
		digits(row.value),
		row.unit,
		row.ratio === undefined ? '' : row.ratio.toFixed(3),
		row.bar === undefined ? '' : digits(row.bar),
		verdict(row),
		row.reference ?? '',
	]);
	const table = [header, ...cells];
	const widths = header.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
	const numeric = new Set([1, 3, 4]);
	return table
		.map((row) =>
			row
				.map((cell, column) =>
					numeric.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
				)
				.join('  ')
				.trimEnd(),
		)
		.join('\n');
};

/** A row with a bar is a promise; it is kept only when the benchmark said so. */
export const missedBars = (rows: readonly BenchRow[]): readonly BenchRow[] =>
	rows.filter(({bar, pass}) => bar !== undefined && pass !== true);
