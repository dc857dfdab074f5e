import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {chmod, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {imageDirectory} from '#image/make/recipe.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const script = path.join(imageDirectory, 'profile/base/overlay/usr/lib/streamverse/bin/show-console');

/** A box whose address and name stand in files, with a screen that keeps what it shows, and another that it lacks. */
const withScreen = async (t: ExecutionContext) => {
	const root = await withDirectory(t);
	const [issue, screen, address, lost] = ['issue', 'screen', 'address', 'state-lost'].map((name) =>
		path.join(root, name),
	);
	const programs = {ip: `cat ${address}`, hostname: 'echo nairobi-3', sleep: 'read line <"$0.go"'};
	for (const [name, line] of Object.entries(programs)) {
		await writeFile(path.join(root, name), `#!/bin/sh\n${line}\n`);
		await chmod(path.join(root, name), 0o755);
	}
	const gate = path.join(root, 'sleep.go');
	await once(spawn('mkfifo', [gate]), 'exit');
	const setAddress = (text: string) =>
		writeFile(address ?? '', text === '' ? '' : `2: eth0    inet ${text}/24 brd x\n`);
	await setAddress('');
	const start = () => {
		const child = spawn(script, [issue ?? '', `${root}/none/tty1 ${screen}`, '1', lost ?? ''], {
			env: {PATH: `${root}:${process.env['PATH']}`},
			stdio: 'ignore',
			detached: true,
		});
		t.teardown(async () => {
			const exited = once(child, 'exit');
			// With the program that it waits for.
			process.kill(-(child.pid ?? Number.NaN), 'SIGKILL');
			await exited;
		});
	};
	return {
		start,
		setAddress,
		setIssue: (text: string) => writeFile(issue ?? '', text),
		/** As the initrd does. */
		loseState: (why: string) => writeFile(lost ?? '', `${why}\n`),
		shown: () => readFile(screen ?? '', 'utf8').catch(() => ''),
		/** It asks again. */
		goOn: () => writeFile(gate, '\n'),
	};
};

test('a screen shows the name, the page by name and address, and the code', async (t) => {
	const {start, setAddress, setIssue, shown} = await withScreen(t);
	await setIssue('Commissioning page: code ABCD-EFGH\n');
	await setAddress('192.0.2.7');
	start();
	await eventually('the code', async () => (await shown()).includes('code ABCD-EFGH'));
	const text = await shown();
	t.regex(text, /StreamVerse nairobi-3\r/u);
	t.regex(text, /http:\/\/nairobi-3\.local:8078\//u);
	t.regex(text, /http:\/\/192\.0\.2\.7:8078\//u);
});

test('what changes is shown as well, however late, and nothing twice', async (t) => {
	const {start, setIssue, shown, goOn} = await withScreen(t);
	start();
	await eventually('the first text', async () => (await shown()).includes('nairobi-3'));
	t.notRegex(await shown(), /code/u);
	await goOn();
	await goOn();
	await setIssue('Commissioning page: code ABCD-EFGH\n');
	await goOn();
	await eventually('the code', async () => (await shown()).includes('ABCD-EFGH'));
	await goOn();
	await goOn();
	await goOn();
	t.is((await shown()).match(/ABCD-EFGH/gu)?.length, 1);
});

test('a box that keeps nothing says so, and why', async (t) => {
	const {start, loseState, shown, goOn} = await withScreen(t);
	start();
	await eventually('the first text', async () => (await shown()).includes('nairobi-3'));
	t.notRegex(await shown(), /data partition/u);
	await loseState('its file system cannot be repaired');
	await goOn();
	await eventually('the reason', async () => (await shown()).includes('outlives this boot'));
	t.regex(
		await shown(),
		/\r\n {2}The data partition cannot be used: its file system cannot be repaired\.\r\n {2}Nothing/u,
	);
});
