/**
 * A line of CSV (RFC 4180). What a spreadsheet would take for a formula begins with an apostrophe: names and paths in
 * the log are chosen by whoever was refused, too.
 */
export const csvLine = (values: readonly (string | number | null)[]): string =>
	`${values.map((value) => csvField(value)).join(',')}\r\n`;

const csvField = (value: string | number | null): string => {
	const text = value === null ? '' : String(value);
	const harmless = typeof value === 'string' && /^[=+\-@\t\r]/u.test(text) ? `'${text}` : text;
	return /[",\r\n]/u.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
};
