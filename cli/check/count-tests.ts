import type {Tally} from '#cli/check/run-step.ts';

const numberBefore = (output: string, pattern: RegExp): number =>
	[...output.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);

/**
 * Ava's summary: `  12 tests passed`, `  1 test failed`, `  1 uncaught exception`, …; before it, under the title of each that
 * failed, why.
 */
export const countAva = (output: string): Tally => ({
	passed: numberBefore(output, /^\s+(\d+) tests? passed/gmu),
	failed: numberBefore(
		output,
		/^\s+(\d+) (?:tests? (?:failed|remained pending)|uncaught exceptions?|unhandled rejections?)/gmu,
	),
	failures: [...output.matchAll(/^ {2}(?![-✔✘ℹ›─ ])(\S.* › .*)$/gmu)].map(([, title]) => title ?? ''),
});

/** CTest's summary: `100% tests passed, 0 tests failed out of 7`. */
export const countCtest = (output: string): Tally => {
	const total = numberBefore(output, /tests failed out of (\d+)/gu);
	const failed = numberBefore(output, /, (\d+) tests failed out of/gu);
	return {passed: total - failed, failed};
};
