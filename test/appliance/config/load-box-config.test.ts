import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {z} from 'zod';
import {loadBoxConfig} from '#appliance/config/load-box-config.ts';
import {withBoxFile} from '#test/helper/with-box-file.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const sectionSchemaOf = () => z.strictObject({});

test('a box’s file is read', async (t) => {
	const {filePath, stateDirectory} = await withBoxFile(t);
	t.is((await loadBoxConfig({filePath, sectionSchemaOf})).box.stateDirectory, stateDirectory);
});

for (const [what, name] of [
	['a missing file', 'missing.yaml'],
	['a directory', '.'],
] as const) {
	test(`${what} is told as unreadable`, async (t) => {
		const filePath = path.join(await withDirectory(t), name);
		await t.throwsAsync(loadBoxConfig({filePath, sectionSchemaOf}), {code: 'APPLIANCE_CONFIG_UNREADABLE'});
	});
}

test('a device that never ends is read only as far as a box’s file may go', async (t) => {
	await t.throwsAsync(loadBoxConfig({filePath: '/dev/zero', sectionSchemaOf}), {code: 'APPLIANCE_CONFIG_INVALID'});
});

test('bytes that are no text are refused', async (t) => {
	const filePath = path.join(await withDirectory(t), 'box.yaml');
	await writeFile(filePath, Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]));
	await t.throwsAsync(loadBoxConfig({filePath, sectionSchemaOf}), {code: 'APPLIANCE_CONFIG_INVALID'});
});
