import {spawn, spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {openLog} from '#appliance/diagnostics/log/open-log.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

/** Writes a journal without a journald; of Debian's package systemd-journal-remote. */
const writerPath = '/usr/lib/systemd/systemd-journal-remote';
const whereWritable = existsSync(writerPath) ? test : test.skip;

whereWritable('the real journalctl is followed: its past, what comes, and only what passes the filter', async (t) => {
	const directory = await withDirectory(t);
	const journal = path.join(directory, 'journal');
	await mkdir(journal);
	const writer = spawn(writerPath, [`--output=${path.join(journal, 'test.journal')}`, '-'], {
		stdio: ['pipe', 'ignore', 'ignore'],
	});
	t.teardown(() => writer.kill('SIGKILL'));
	// journalctl follows what this boot says.
	const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim().replaceAll('-', '');
	let written = 0;
	const write = (service: string, priority: number, message: string): void => {
		written += 1;
		const stamps = `__REALTIME_TIMESTAMP=${Date.now() * 1000 + written}\n__MONOTONIC_TIMESTAMP=${written}\n_BOOT_ID=${bootId}`;
		writer.stdin.write(`${stamps}\nPRIORITY=${priority}\nSYSLOG_IDENTIFIER=${service}\nMESSAGE=${message}\n\n`);
	};
	const command = path.join(directory, 'journalctl');
	await writeFile(command, `#!/bin/sh\nexec journalctl --directory ${journal} "$@"\n`, {mode: 0o755});
	write('stb', 3, 'tuner lost its lock');
	await eventually('a journal with an entry', () => {
		const args = ['--boot', '--lines', '1', '--output', 'cat', '--no-pager', '--quiet'];
		return spawnSync(command, args, {encoding: 'utf8'}).stdout.includes('lost its lock');
	});
	let text = '';
	const source = openLog({
		...{origin: {kind: 'journal', command}, service: 'stb', levelMin: 'warn', contains: 'TUNER', tail: 10},
		redact: (line) => line.replaceAll('hidden', '[removed]'),
		listener: {onText: (part) => (text += part), onEnd: (reason) => t.fail(reason.message)},
	});
	t.teardown(async () => await source[Symbol.asyncDispose]());
	await eventually('the past', () => text.includes('tuner lost its lock'));
	write('nginx', 3, 'tuner of another');
	write('stb', 6, 'tuner information');
	write('stb', 3, 'cache is full');
	write('stb', 4, 'tuner found a hidden lock');
	await eventually('the present', () => text.includes('found'));
	t.regex(text, /^\S+ error stb: tuner lost its lock\n\S+ warn {2}stb: tuner found a \[removed\] lock\n$/u);
	source.pause();
	write('stb', 3, 'tuner while nobody reads');
	source.resume();
	await eventually('what came while it rested', () => text.includes('nobody reads'));
});
