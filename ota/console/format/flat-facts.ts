import {formatBytes} from './format-number.ts';
import {formatDateTime, formatDuration} from './format-time.ts';

export type Fact = readonly [name: string, text: string];

/** Milliseconds from this on are a date, not a duration. */
const dateMsMin = 1e12;

/** `severityMin` as `severity min`. */
export const wordsOf = (name: string): string =>
	name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/gu, ' ').replaceAll(/ [A-Z](?![A-Z])/gu, (letter) => letter.toLowerCase());

/** What an object holds as names and texts, however deep, with units as people read them. */
export const flatFacts = (value: unknown, name = ''): readonly Fact[] => {
	if (Array.isArray(value)) {
		return value.every((item) => typeof item !== 'object' || item === null)
			? [[wordsOf(name), value.length === 0 ? 'none' : value.map((item) => textOf(item, '')).join(', ')]]
			: value.flatMap((item, index) => flatFacts(item, `${name} ${index + 1}`.trim()));
	}
	if (typeof value === 'object' && value !== null) {
		return Object.entries(value).flatMap(([key, inner]) => flatFacts(inner, `${name} ${key}`.trim()));
	}
	return value === null && name === '' ? [] : [unitOf(name, value)];
};

const unitOf = (name: string, value: unknown): Fact => {
	const isNumber = typeof value === 'number';
	const bare = isNumber ? name.replace(/(?:Ms|Bytes)$/u, '') : name;
	return [wordsOf(bare), textOf(value, isNumber ? name.slice(bare.length) : '')];
};

const textOf = (value: unknown, unit: string): string => {
	if (typeof value === 'number') {
		switch (unit) {
			case 'Ms':
				return value >= dateMsMin ? formatDateTime(value) : value < 1000 ? `${value} ms` : formatDuration(value);
			case 'Bytes':
				return formatBytes(value);
			default:
				return String(value);
		}
	}
	if (typeof value === 'boolean') {
		return value ? 'yes' : 'no';
	}
	return value === null || value === '' ? 'none' : value === '[removed]' ? 'not kept' : String(value);
};
