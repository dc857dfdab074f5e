import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {exitCode} from '#appliance/process/exit-code.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withProcess} from '#test/helper/with-process.ts';

const run = async (t: ExecutionContext, ...args: readonly string[]) => {
	const command = withProcess(t, {script: 'cli/main.ts', args});
	const {code} = await command.ended;
	return {code, output: command.output()};
};

const commands = ['demo', 'test', 'bench', 'supervisor', 'headend', 'stb', 'pop-node', 'catalogue', 'config'];

test.serial('--help names every command', async (t) => {
	const {code, output} = await run(t, '--help');
	t.is(code, exitCode.success);
	for (const command of commands) {
		t.regex(output, new RegExp(`^ +${command} `, 'm'));
	}
});

for (const command of commands) {
	test.serial(`${command} --help shows how it is called`, async (t) => {
		const {code, output} = await run(t, command, '--help');
		t.is(code, exitCode.success);
		t.regex(output, new RegExp(`Usage: streamverse ${command}`));
	});
}

test.serial('a mistyped command is answered with the one that was meant', async (t) => {
	const {code, output} = await run(t, 'supervsor');
	t.is(code, exitCode.usage);
	t.regex(output, /Did you mean supervisor\?/);
});

test.serial('a missing option is a usage error', async (t) => {
	const {code, output} = await run(t, 'stb');
	t.is(code, exitCode.usage);
	t.regex(output, /--config/);
});

test.serial('an unknown part of the tests is told with those that there are', async (t) => {
	const {code, output} = await run(t, 'test', 'nonsense');
	t.is(code, exitCode.usage);
	t.regex(output, /lint, types, native.*CLI_STEP_UNKNOWN/);
});

test.serial('config check tells every mistake, and exits with 78', async (t) => {
	const filePath = path.join(await withDirectory(t), 'box.yaml');
	await writeFile(
		filePath,
		'version: 1\nbox: {id: b-1, kind: stb, stateDirectory: s}\nstb: {nonsense: 1}\nlog: {level: x}\n',
	);
	const {code, output} = await run(t, 'config', 'check', filePath);
	t.is(code, exitCode.configuration);
	t.regex(output, /box\.yaml:3: stb\.nonsense: is not a known key/);
	t.regex(output, /box\.yaml:4: log\.level: /);
	t.notRegex(output, /\n +at /, 'a stack is only for --verbose');
});

test.serial('config check --print fills every default in', async (t) => {
	const filePath = path.join(await withDirectory(t), 'box.yaml');
	await writeFile(filePath, 'version: 1\nbox: {id: b-1, kind: stb, stateDirectory: s}\n');
	const {code, output} = await run(t, 'config', 'check', '--print', filePath);
	t.is(code, exitCode.success);
	t.regex(output, /^stb:$/m);
	t.regex(output, /heartbeatTimeoutMs: 10000/);
});
