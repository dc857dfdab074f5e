import {readdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {readBeforeReboot, writeBeforeReboot} from '#ota/member/before-reboot.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

test('what held before a reboot is read after it; a torn note is none, and one that cannot be written stops nothing', async (t) => {
	const directory = await withDirectory(t);
	t.is(await readBeforeReboot(directory), undefined);
	const facts = {atMs: 5, addressed: true, connected: false};
	await writeBeforeReboot(directory, facts, silentLogger());
	t.deepEqual(await readBeforeReboot(directory), {version: 1, ...facts});
	const [file = ''] = await readdir(directory);
	await writeFile(join(directory, file), '{"version":1,');
	t.is(await readBeforeReboot(directory), undefined);
	await writeBeforeReboot(join(directory, 'missing'), facts, silentLogger());
	t.is(await readBeforeReboot(join(directory, 'missing')), undefined);
});
