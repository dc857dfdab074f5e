import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {projectRoot} from '#native/project-root.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const run = promisify(execFile);
const main = path.join(projectRoot, 'cli/main.ts');
const stream = path.join(projectRoot, 'test/native/modem/qpsk-1-4-short.ts.bin');
const commandTimeoutMs = 60_000;

const modem = (...args: readonly string[]) =>
	run(process.execPath, [main, 'modem', ...args], {timeout: commandTimeoutMs, encoding: 'buffer'});

test('a stage is written to a file, and what it was is told', async (t) => {
	const output = path.join(await withDirectory(t), 'out');
	const {stderr} = await modem(
		...[stream, '--modcod', 'qpsk-1/4', '--frame', 'short', '--roll-off', '0.35'],
		...['--stage', 'ldpc', '--output', output],
	);
	t.is(String(stderr), '4 short frames of QPSK 1/4, 32760 symbols\n');
	const bits = await readFile(output);
	t.is(bits.length, 4 * 2025);
	const digest = createHash('sha256').update(bits.subarray(0, 6075)).digest('hex');
	t.is(digest, 'debd15ade1227600ba2408ce0423ab3e38385f051899b59712c93318f3147dbb');
});

test('a mistake is answered in one line with a code, and writes nothing to standard output', async (t) => {
	for (const [args, message] of [
		[[stream, '--modcod', '9PSK 1/2'], /CLI_MODCOD_UNKNOWN/u],
		[[main, '--modcod', '57'], /NATIVE_MODEM_INPUT/u],
		[['/nowhere', '--modcod', '57'], /ENOENT/u],
		[[stream, '--modcod', '57', '--roll-off', '0.3'], /one of 0.35/u],
	] as const) {
		const failure = await t.throwsAsync<Error & {readonly stdout: Buffer; readonly stderr: Buffer}>(modem(...args));
		t.regex(String(failure?.stderr), message);
		t.is(failure?.stdout.length, 0);
	}
});
