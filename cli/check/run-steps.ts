import {runStep, type Step} from '#cli/check/run-step.ts';

/**
 * Runs the steps in order and stops at the first that fails. The closing line `N passed, N failed` is what CI reads.
 * @returns whether all passed
 */
export const runSteps = async (
	steps: readonly Step[],
	options: {readonly root: string; readonly signal: AbortSignal},
): Promise<boolean> => {
	const times: string[] = [];
	let passed = 0;
	let failed = 0;
	for (const step of steps) {
		const startMs = performance.now();
		process.stdout.write(`\n── ${step.name}\n`);
		const result = await runStep(step, options);
		const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
		passed += result.passed;
		failed += result.failed;
		times.push(`${result.ok ? 'ok  ' : 'FAIL'} ${seconds.padStart(7)} s  ${step.name}`);
		process.stdout.write(`── ${step.name}: ${result.ok ? 'ok' : 'FAILED'} after ${seconds} s\n`);
		if (!result.ok) {
			break;
		}
	}
	process.stdout.write(`\n${times.join('\n')}\n\n${passed} passed, ${failed} failed\n`);
	return failed === 0;
};
