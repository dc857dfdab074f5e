import {spawnSync} from 'node:child_process';
import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {imageDirectory} from '#image/make/recipe.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const script = path.join(imageDirectory, 'profile/base/overlay/usr/lib/streamverse/bin/has-stick');

type Box = {
	readonly plug: (name: string, interfaceClass: string) => void;
	/** Of the script, and how often it waited for udev. */
	readonly run: (board?: boolean) => {readonly status: number | null; readonly waits: number};
};

/** A box whose udev plugs in what `late` names while it is waited for. */
const withBox = async (t: ExecutionContext, late?: string): Promise<Box> => {
	const root = await withDirectory(t);
	const [devices, programs, board] = ['devices', 'programs', 'device-tree'].map((name) => {
		const folder = path.join(root, name);
		mkdirSync(folder);
		return folder;
	}) as [string, string, string];
	const waited = path.join(root, 'waited');
	const plug = (name: string, interfaceClass: string): void => {
		mkdirSync(path.join(devices, name));
		writeFileSync(path.join(devices, name, 'bInterfaceClass'), `${interfaceClass}\n`);
	};
	const plugLate =
		late === undefined ? '' : `mkdir -p "${devices}/1-9" && echo ${late} >"${devices}/1-9/bInterfaceClass"`;
	writeFileSync(path.join(programs, 'udevadm'), `#!/bin/sh\necho "$@" >>"${waited}"\n${plugLate}\n`);
	chmodSync(path.join(programs, 'udevadm'), 0o755);
	return {
		plug,
		run: (isBoard = false) => {
			writeFileSync(waited, '');
			const {status} = spawnSync(script, [devices, isBoard ? board : path.join(root, 'none')], {
				env: {PATH: `${programs}:/usr/bin:/bin`},
			});
			const lines = spawnSync('grep', ['-c', 'settle', waited], {encoding: 'utf8'}).stdout;
			return {status, waits: Number(lines)};
		},
	};
};

test('a PC without a stick does not wait', async (t) => {
	const box = await withBox(t);
	t.deepEqual(box.run(), {status: 1, waits: 0});
	box.plug('1-1:1.0', '03');
	t.deepEqual(box.run(), {status: 1, waits: 0}, 'a keyboard is none');
});

test('a stick is waited for until its disk is there', async (t) => {
	const box = await withBox(t);
	box.plug('1-1:1.0', '03');
	box.plug('2-1:1.0', '08');
	t.deepEqual(box.run(), {status: 0, waits: 1});
});

test('a board is asked again once its drivers are there', async (t) => {
	t.deepEqual((await withBox(t)).run(true), {status: 1, waits: 1});
	t.deepEqual((await withBox(t, '08')).run(true), {status: 0, waits: 2});
});
