import {spawnSync} from 'node:child_process';
import {chmodSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {imageDirectory} from '#image/make/recipe.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const script = path.join(imageDirectory, 'profile/base/overlay/usr/lib/streamverse/bin/has-stick');

type Box = {
	readonly plug: (name: string, interfaceClass: string) => void;
	readonly setPort: (state: string) => void;
	/** Of the script, and how often it waited for udev, and for a port. */
	readonly run: (board?: boolean) => {readonly status: number | null; readonly waits: number; readonly sleeps: number};
};

/** A box in which `late` runs, a line of sh, while udev or a port is waited for. */
const withBox = async (t: ExecutionContext, late: (devices: string) => string = () => ''): Promise<Box> => {
	const root = await withDirectory(t);
	const [devices, programs, board] = ['devices', 'programs', 'device-tree'].map((name) => {
		const folder = path.join(root, name);
		mkdirSync(folder);
		return folder;
	}) as [string, string, string];
	const waited = path.join(root, 'waited');
	const port = path.join(devices, '1-0:1.0/usb1-port1');
	const plug = (name: string, interfaceClass: string): void => {
		mkdirSync(path.join(devices, name));
		writeFileSync(path.join(devices, name, 'bInterfaceClass'), `${interfaceClass}\n`);
	};
	for (const program of ['udevadm', 'sleep']) {
		writeFileSync(path.join(programs, program), `#!/bin/sh\necho ${program} >>"${waited}"\n${late(devices)}\n`);
		chmodSync(path.join(programs, program), 0o755);
	}
	return {
		plug,
		setPort: (state) => {
			mkdirSync(port, {recursive: true});
			writeFileSync(path.join(port, 'state'), `${state}\n`);
		},
		run: (isBoard = false) => {
			writeFileSync(waited, '');
			const {status} = spawnSync(script, [devices, isBoard ? board : path.join(root, 'none')], {
				env: {PATH: `${programs}:/usr/bin:/bin`},
			});
			const count = (program: string): number => readFileSync(waited, 'utf8').split(`${program}\n`).length - 1;
			return {status, waits: count('udevadm'), sleeps: count('sleep')};
		},
	};
};

const plugged = (devices: string): string => `mkdir -p "${devices}/1-9" && echo 08 >"${devices}/1-9/bInterfaceClass"`;

test('a PC without a stick does not wait', async (t) => {
	const box = await withBox(t);
	t.deepEqual(box.run(), {status: 1, waits: 0, sleeps: 0});
	box.plug('1-1:1.0', '03');
	t.deepEqual(box.run(), {status: 1, waits: 0, sleeps: 0}, 'a keyboard is none');
	for (const state of ['not attached', 'configured', 'suspended']) {
		box.setPort(state);
		t.deepEqual(box.run(), {status: 1, waits: 0, sleeps: 0}, state);
	}
});

test('a stick is waited for until its disk is there', async (t) => {
	const box = await withBox(t);
	box.plug('1-1:1.0', '03');
	box.plug('2-1:1.0', '08');
	t.deepEqual(box.run(), {status: 0, waits: 1, sleeps: 0});
});

test('a board is asked again once its drivers are there', async (t) => {
	t.deepEqual((await withBox(t)).run(true), {status: 1, waits: 1, sleeps: 0});
	t.deepEqual((await withBox(t, plugged)).run(true), {status: 0, waits: 2, sleeps: 0});
});

test('what is in a port and has not answered yet is waited for, and not for ever', async (t) => {
	const slow = await withBox(
		t,
		(devices) => `${plugged(devices)}; echo configured >"${devices}/1-0:1.0/usb1-port1/state"`,
	);
	slow.setPort('addressed');
	t.deepEqual(slow.run(), {status: 0, waits: 1, sleeps: 1});
	const broken = await withBox(t);
	broken.setPort('default');
	t.deepEqual(broken.run(), {status: 1, waits: 0, sleeps: 50});
});
