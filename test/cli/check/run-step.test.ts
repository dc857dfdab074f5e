import test from 'ava';
import {runStep, type Step} from '#cli/check/run-step.ts';

const print = (): void => undefined;
const options = () => ({root: '/', signal: AbortSignal.timeout(30_000), print});
const shell = (script: string, more: Partial<Step> = {}): Step => ({
	name: 'step',
	command: 'sh',
	args: ['-c', script],
	quiet: true,
	...more,
});

test('a step that works counts as one check, unless its output tells numbers', async (t) => {
	t.deepEqual(await runStep(shell('exit 0'), options()), {ok: true, passed: 1, failed: 0});
	const count = () => ({passed: 7, failed: 0});
	t.deepEqual(await runStep(shell('exit 0', {count}), options()), {ok: true, passed: 7, failed: 0});
});

test('a step that fails never counts as none failed', async (t) => {
	const count = () => ({passed: 7, failed: 0});
	t.deepEqual(await runStep(shell('exit 3', {count}), options()), {ok: false, passed: 7, failed: 1});
	t.deepEqual(await runStep(shell('kill -9 $$'), options()), {ok: false, passed: 0, failed: 1});
});

test('a command that is not there, and an order to stop, are told as such', async (t) => {
	await t.throwsAsync(runStep({...shell(''), command: '/nonexistent'}, options()), {code: 'CLI_STEP_FAILED'});
	const signal = AbortSignal.timeout(50);
	await t.throwsAsync(runStep(shell('exec sleep 600'), {root: '/', signal, print}), {message: /was stopped/});
});
