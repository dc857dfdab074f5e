import {InvalidArgumentError} from 'commander';

const unitsMs: Readonly<Record<string, number>> = {ms: 1, s: 1000, m: 60_000, h: 3_600_000};

/** `500ms`, `3s`, `1.5m`, `1h`, or a bare number of seconds, to milliseconds. For commander's options. */
export const parseDurationMs = (text: string): number => {
	const [, amount, unit = 's'] = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)?$/u.exec(text) ?? [];
	const unitMs = unitsMs[unit];
	if (amount === undefined || unitMs === undefined) {
		throw new InvalidArgumentError('A duration is a number with ms, s, m or h, for example 60s.');
	}
	return Math.round(Number(amount) * unitMs);
};
