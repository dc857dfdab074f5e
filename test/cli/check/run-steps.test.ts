import test from 'ava';
import {runSteps} from '#cli/check/run-steps.ts';

const shell = (name: string, script: string) => ({name, command: 'sh', args: ['-c', script], quiet: true});

/** Nothing of these runs is printed: who looks for what failed in a run of this suite is not to find it here. */
const recorded = () => {
	const lines: string[] = [];
	const print = (text: string): void => void lines.push(text);
	return {options: {root: '/', signal: AbortSignal.timeout(30_000), print}, printed: () => lines.join('')};
};

test('nothing is begun after a step that failed', async (t) => {
	t.true(await runSteps([shell('one', 'exit 0')], recorded().options));

	const {options, printed} = recorded();
	const count = () => ({passed: 0, failed: 1, failures: ['the third of them']});
	const failing = {...shell('two', 'echo the reason; exit 1'), count};
	t.false(await runSteps([shell('one', 'exit 0'), failing, shell('three', `kill ${process.pid}`)], options));
	t.regex(printed(), /the reason\n── two: FAILED/u, 'what a quiet step said is shown when it fails');
	t.regex(printed(), /FAIL +[0-9.]+ s {2}two\n +the third of them\n\n1 passed, 1 failed\n$/u);
});

test('a step that would not end in time is left out, and the long ones after it', async (t) => {
	const long = {...shell('long', 'exit 1'), minutes: 5};
	const after = {...shell('after', 'exit 1'), minutes: 1};
	const {options, printed} = recorded();
	t.true(await runSteps([long, after, shell('short', 'exit 0')], {...options, minutesMax: 4}));
	t.regex(
		printed(),
		/SKIPPED +long: takes 5 min, 3 are left\nSKIPPED +after: takes 1 min, 3 are left\nok +[0-9.]+ s {2}short\n/u,
	);
	t.false(await runSteps([long], {...recorded().options, minutesMax: 6}));
	t.false(await runSteps([long], recorded().options), 'without a limit it is run');
});
