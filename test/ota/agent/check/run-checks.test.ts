import test from 'ava';
import {type ConfirmCheck, runChecks} from '#ota/agent/check/run-checks.ts';

const passes = async (): Promise<void> => await Promise.resolve();
const fails = async (): Promise<void> => await Promise.reject(new Error('down'));
const hangs = async (): Promise<void> => await new Promise(() => undefined);
const check = (name: string, weight: ConfirmCheck['weight'], ask: () => Promise<void>, graceMs = 40): ConfirmCheck => ({
	...{name, weight, graceMs},
	check: ask,
});
const run = async (...checks: ConfirmCheck[]): ReturnType<typeof runChecks> =>
	await runChecks(checks, {deadlineMs: 2000, signal: AbortSignal.timeout(10_000)});

test('every check that must hold has to, and more than half of the quorum', async (t) => {
	t.deepEqual(await run(check('a', 'must', passes), check('b', 'must', passes)), {kind: 'passed', missed: []});
	t.deepEqual(await run(check('a', 'must', passes), check('b', 'must', fails)), {kind: 'failed', detail: 'b: down'});
	const two = await run(check('a', 'quorum', passes), check('b', 'quorum', fails), check('c', 'quorum', passes));
	t.deepEqual(two, {kind: 'passed', missed: ['b']});
	t.is((await run(check('a', 'quorum', passes), check('b', 'quorum', fails))).kind, 'failed');
});

test('a check that hangs fails when its grace ends, and one that is optional is not waited for', async (t) => {
	const verdict = await run(check('hung', 'must', hangs));
	t.deepEqual(verdict, {kind: 'failed', detail: 'hung: gave no answer within 40 ms'});
	const startedMs = performance.now();
	t.is((await run(check('a', 'must', passes), check('cloud', 'optional', hangs, 60_000))).kind, 'passed');
	t.true(performance.now() - startedMs < 5000);
});

test('no grace is longer than the order’s deadline', async (t) => {
	const startedMs = performance.now();
	const verdict = await runChecks([check('a', 'must', hangs, 60_000)], {
		deadlineMs: 50,
		signal: AbortSignal.timeout(10_000),
	});
	t.is(verdict.kind, 'failed');
	t.true(performance.now() - startedMs < 5000);
});
