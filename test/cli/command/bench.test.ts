import test, {type ExecutionContext} from 'ava';
import {exitCode} from '#appliance/process/exit-code.ts';
import {withProcess} from '#test/helper/with-process.ts';

const run = async (t: ExecutionContext, ...args: readonly string[]) => {
	const command = withProcess(t, {script: 'cli/main.ts', args: ['bench', ...args]});
	const {code} = await command.ended;
	return {code, output: command.output()};
};

test('an option that a benchmark does not take is refused, and not passed over', async (t) => {
	const {code, output} = await run(t, 'spool', '--n', '3');
	t.is(code, exitCode.failure);
	t.regex(output, /This benchmark takes no --n\./u);
	t.regex(output, /CLI_BENCH_FAILED/u);
});

test('a count is a whole number', async (t) => {
	const {code, output} = await run(t, 'powercut', '--n', 'many');
	t.is(code, exitCode.usage);
	t.regex(output, /A whole number is expected/u);
});

test('what boots machines runs only when it is named', async (t) => {
	const {code, output} = await run(t, '--help');
	t.is(code, exitCode.success);
	const [, all, some] =
		/one of: ([^;]*); default: ([^)]*?)(?: {2,}|\n\n|$)/su.exec(output.replaceAll(/\n +/gu, ' ')) ?? [];
	t.true(all?.split(', ').includes('powercut'), output);
	t.false(some?.includes('powercut'), output);
	t.true(some?.includes('spool'), output);
});
