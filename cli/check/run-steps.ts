import {runStep, type Step} from '#cli/check/run-step.ts';

const minuteMs = 60_000;

/**
 * Runs the steps in order and stops at the first that fails. What failed is named again at the end, where it is looked for, and
 * the closing line `N passed, N failed` is what CI reads. A step for which the minutes that are left do not suffice is left
 * out, with all long ones after it, and told of.
 * @returns whether all passed
 */
export const runSteps = async (
	steps: readonly Step[],
	options: {
		readonly root: string;
		readonly signal: AbortSignal;
		readonly minutesMax?: number;
		readonly print: (text: string) => void;
	},
): Promise<boolean> => {
	const {minutesMax = Number.POSITIVE_INFINITY, print} = options;
	const beganMs = performance.now();
	const times: string[] = [];
	let passed = 0;
	let failed = 0;
	let isOver = false;
	for (const step of steps) {
		const startMs = performance.now();
		const minutesLeft = minutesMax - (startMs - beganMs) / minuteMs;
		isOver ||= step.minutes !== undefined && step.minutes > minutesLeft;
		if (isOver && step.minutes !== undefined) {
			times.push(`SKIPPED          ${step.name}: takes ${step.minutes} min, ${Math.floor(minutesLeft)} are left`);
			continue;
		}
		print(`\n── ${step.name}\n`);
		const result = await runStep(step, options);
		const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
		passed += result.passed;
		failed += result.failed;
		times.push(`${result.ok ? 'ok  ' : 'FAIL'} ${seconds.padStart(7)} s  ${step.name}`);
		times.push(...(result.failures ?? []).map((title) => `                 ${title}`));
		print(`── ${step.name}: ${result.ok ? 'ok' : 'FAILED'} after ${seconds} s\n`);
		if (!result.ok) {
			break;
		}
	}
	print(`\n${times.join('\n')}\n\n${passed} passed, ${failed} failed\n`);
	return failed === 0;
};
