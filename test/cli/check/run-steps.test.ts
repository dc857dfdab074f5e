import test from 'ava';
import {runSteps} from '#cli/check/run-steps.ts';

const shell = (name: string, script: string) => ({name, command: 'sh', args: ['-c', script], quiet: true});
const options = () => ({root: '/', signal: AbortSignal.timeout(30_000)});

test('nothing is begun after a step that failed', async (t) => {
	t.true(await runSteps([shell('one', 'exit 0')], options()));
	t.false(await runSteps([shell('one', 'exit 1'), shell('two', `kill ${process.pid}`)], options()));
});

test('a step that would not end in time is left out, and the long ones after it', async (t) => {
	const long = {...shell('long', 'exit 1'), minutes: 5};
	const after = {...shell('after', 'exit 1'), minutes: 1};
	t.true(await runSteps([long, after, shell('short', 'exit 0')], {...options(), minutesMax: 4}));
	t.false(await runSteps([long], {...options(), minutesMax: 6}));
	t.false(await runSteps([long], options()), 'without a limit it is run');
});
