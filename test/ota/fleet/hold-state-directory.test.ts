import {mkdir, readdir, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {holdStateDirectory} from '#ota/fleet/hold-state-directory.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

test('one server works in a state directory at a time, under whichever name it goes', async (t) => {
	const parent = await withDirectory(t);
	const directory = join(parent, 'a', 'state');
	const first = await holdStateDirectory(directory);
	await symlink(directory, join(parent, 'link'));
	for (const name of [directory, `${directory}/`, join(parent, 'link')]) {
		await t.throwsAsync(holdStateDirectory(name), {code: 'OTA_STATE_HELD', message: /stop it/u});
	}
	t.deepEqual(await readdir(directory), [], 'and leaves nothing in it');
	using _other = await holdStateDirectory(join(parent, 'other'));
	first[Symbol.dispose]();
	using _again = await holdStateDirectory(directory);
});

test('a directory that cannot be used is told with its name', async (t) => {
	const parent = await withDirectory(t);
	await writeFile(join(parent, 'file'), '');
	await mkdir(join(parent, 'sub'));
	for (const name of [join(parent, 'file'), join(parent, 'file', 'below')]) {
		await t.throwsAsync(holdStateDirectory(name), {code: 'OTA_STATE_UNUSABLE', message: /--state/u});
	}
});
