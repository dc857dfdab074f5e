import {spawn, spawnSync} from 'node:child_process';
import {generateKeyPairSync} from 'node:crypto';
import {existsSync} from 'node:fs';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import {openLog} from '#appliance/diagnostics/log/open-log.ts';
import {type Logger, silentLogger} from '#appliance/log/logger.ts';
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
		logger: silentLogger(),
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

/** journalctl's place, and what an open log of it said until it ended. */
const logOf = async (t: ExecutionContext, script: string, options: {readonly contains?: string} = {}) => {
	const command = path.join(await withDirectory(t), 'journalctl');
	await writeFile(command, `#!/bin/sh\n${script}\n`, {mode: 0o755});
	let text = '';
	const warnings: unknown[] = [];
	const ended = Promise.withResolvers<Reason>();
	const source = openLog({
		...{origin: {kind: 'journal', command}, tail: 10, ...options},
		redact: (line) => line.replaceAll('hidden', '[removed]'),
		listener: {onText: (part) => (text += part), onEnd: ended.resolve},
		logger: {warn: (facts: unknown) => warnings.push(facts)} as unknown as Logger,
	});
	t.teardown(async () => await source[Symbol.asyncDispose]());
	return {reason: await ended.promise, text, warnings};
};

test('a journal that cannot be read says why, with a code, to the reader and to the log', async (t) => {
	const missing = path.join(await withDirectory(t), 'no-journal');
	const {reason, text, warnings} = await logOf(t, `exec /usr/bin/journalctl --directory ${missing} "$@"`);
	t.is(reason.code, 'DIAGNOSTICS_JOURNAL_FAILED');
	t.regex(reason.message, /ended with 1: .*no-journal: No such file or directory/u);
	t.regex(text, /^\(DIAGNOSTICS_JOURNAL_INCOMPLETE: journalctl says: .*No such file/u);
	t.is(warnings.length, 1);
});

test('what journalctl complains of is told past the filter, without secrets, and not without end', async (t) => {
	const entry = JSON.stringify({MESSAGE: 'wanted', __REALTIME_TIMESTAMP: '0', SYSLOG_IDENTIFIER: 'stb'});
	const script = `for n in 1 2 3 4 5 6 7 8 9; do echo "file $n is hidden and damaged" >&2; done; echo '${entry}'`;
	const {reason, text, warnings} = await logOf(t, script, {contains: 'wanted'});
	t.is(reason.code, 'DIAGNOSTICS_LOG_ENDED');
	t.is(warnings.length, 5);
	t.is(text.split('\n').filter((line) => line.includes('is [removed] and damaged')).length, 5);
	t.true(text.includes('stb: wanted\n'));
});

test('the lines of a private key in a log are told by the one that began it, whatever others say between', async (t) => {
	const {privateKey} = generateKeyPairSync('rsa', {modulusLength: 2048});
	const [first = '', ...pem] = privateKey.export({type: 'pkcs8', format: 'pem'}).toString().trim().split('\n');
	const line = (service: string, MESSAGE: string): string =>
		JSON.stringify({MESSAGE, __REALTIME_TIMESTAMP: '0', SYSLOG_IDENTIFIER: service});
	const said = [
		...[line('stb', 'before'), line('stb', first), line('nginx', 'meanwhile'), ...pem.map((text) => line('stb', text))],
		line('stb', 'after'),
	];
	const {text} = await logOf(t, `cat <<'END'\n${said.join('\n')}\nEND`);
	for (const secret of pem.slice(0, -1)) {
		t.false(text.includes(secret));
	}
	for (const open of ['stb: before\n', 'nginx: meanwhile\n', 'stb: after\n']) {
		t.true(text.includes(open), open);
	}
});
