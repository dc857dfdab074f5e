import {execFile} from 'node:child_process';
import {rename} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {spawn} from '@lydell/node-pty';
import test from 'ava';
import type {FlashOutcome} from '#image/flash/flash-image.ts';
import {projectRoot} from '#native/project-root.ts';
import {eventually} from '#test/helper/eventually.ts';
import {bytesAt, usedDisk, withFlashImage} from '#test/helper/with-flash-image.ts';

const run = promisify(execFile);
const main = path.join(projectRoot, 'cli/main.ts');
const megabyte = 1024 * 1024;
const commandTimeoutMs = 120_000;

test('a disk that is named from this folder gets its second table and its seed too', async (t) => {
	const {directory, espOffset} = await withFlashImage(t);
	const disk = await usedDisk(directory, 48 * megabyte);
	const {stdout} = await run(
		process.execPath,
		[main, 'flash', 'box.img', '--device', 'disk.img', '--site', 'kisumu-2', '--state', 'state', '--yes', '--json'],
		{cwd: directory, timeout: commandTimeoutMs},
	);
	const outcome = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as FlashOutcome;
	t.like(outcome, {kind: 'done', device: disk, isTableOwn: true});
	const seed = await run('mtype', ['-i', `${disk}@@${espOffset}`, '::/streamverse/seed.json']);
	t.like(JSON.parse(seed.stdout), {site: 'kisumu-2'});
});

test('what took the place of the disk while the question stood is not written', async (t) => {
	const {directory} = await withFlashImage(t);
	const disk = await usedDisk(directory, 48 * megabyte);
	const other = await usedDisk(directory, 48 * megabyte, 'other.img');
	const terminal = spawn(process.execPath, [main, 'flash', 'box.img', '--device', disk, '--state', 'state'], {
		...{cwd: directory, cols: 200, rows: 50},
	});
	t.teardown(() => terminal.kill('SIGKILL'));
	let shown = '';
	let code: number | undefined;
	terminal.onData((text) => {
		shown += text;
	});
	terminal.onExit(({exitCode}) => {
		code = exitCode;
	});
	await eventually('the question', () => shown.includes('Type disk.img to go on:'), {timeoutMs: commandTimeoutMs});
	await rename(other, disk);
	terminal.write('disk.img\r');
	await eventually('the end', () => code !== undefined, {timeoutMs: commandTimeoutMs});
	t.not(code, 0);
	t.regex(shown, /FLASH_DEVICE_UNFIT/u);
	t.true((await bytesAt(disk, 0, 48 * megabyte)).every((byte) => byte === 0xa5));
});
