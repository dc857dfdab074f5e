import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir, readdir, stat, statfs, symlink, truncate, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {promisify} from 'node:util';
import test from 'ava';
import {alignedBuffer, openBlockHandle} from '#image/flash/block-handle.ts';
import {deviceNumber, readDeviceFacts, type SystemRoots} from '#image/flash/device-facts.ts';
import {refusalOf} from '#image/flash/refuse-device.ts';
import {bytesAt, usedDisk, withFlashImage} from '#test/helper/with-flash-image.ts';
import {withLoopDevice} from '#test/helper/with-loop-device.ts';
import {withSmallDisk} from '#test/helper/with-small-disk.ts';

const run = promisify(execFile);
const megabyte = 1024 * 1024;
const killAttemptsMax = 5;

test.serial('a real block device is written past the page cache', async (t) => {
	const {directory, flash, root, rootOffset, espOffset} = await withFlashImage(t);
	const backing = await usedDisk(directory, 48 * megabyte);
	const device = await withLoopDevice(t, backing);
	if (device === undefined) {
		return;
	}
	let seed = '';
	const [outcome] = await flash([device], {
		seed: {version: 1, site: 'mombasa-1'},
		openHandle: async (file, options) => {
			const handle = await openBlockHandle(file, options);
			const close = async (): Promise<void> => {
				// Closing would bring the seed below the device as well.
				const {stdout} = await run('mtype', ['-i', `${backing}@@${espOffset}`, '::/streamverse/seed.json']);
				seed = stdout;
				await handle.close();
			};
			return file === device ? {...handle, close} : handle;
		},
	});
	t.like(outcome, {kind: 'done', device, isVerifiedDirect: true});
	t.true((await bytesAt(device, rootOffset, root.length)).equals(root));
	t.deepEqual(JSON.parse(seed), {version: 1, site: 'mombasa-1'});
});

test.serial('a mounted disk is refused by name, and by the kernel too', async (t) => {
	const {directory, flash} = await withFlashImage(t);
	const backing = path.join(directory, 'mounted.img');
	await run('mkfs.ext4', ['-q', backing, '48M']);
	const device = await withLoopDevice(t, backing);
	if (device === undefined) {
		return;
	}
	const mountPoint = path.join(directory, 'mount point');
	await mkdir(mountPoint);
	await run('mount', [device, mountPoint]);
	t.teardown(() => run('umount', [mountPoint]).then(() => undefined));
	const error = await t.throwsAsync(flash([device]), {code: 'FLASH_DEVICE_IN_USE'});
	t.true(error?.message.includes(`mounted at ${mountPoint}`));
	await t.throwsAsync(openBlockHandle(device, {writable: true, exclusive: true}), {code: 'EBUSY'});
});

test.serial('an image, and a disk that is a file, may lie on a disk with sectors of 4096 bytes', async (t) => {
	const {directory, imagePath, flash, root, rootOffset} = await withFlashImage(t);
	const backing = path.join(directory, 'backing.img');
	await run('truncate', ['--size', '160M', backing]);
	const device = await withLoopDevice(t, backing, {sectorBytes: 4096});
	if (device === undefined) {
		return;
	}
	await run('mkfs.ext4', ['-q', '-b', '4096', device]);
	const mountPoint = path.join(directory, 'large sectors');
	await mkdir(mountPoint);
	await run('mount', [device, mountPoint]);
	t.teardown(() => run('umount', [mountPoint]).then(() => undefined));
	await run('cp', ['--sparse=always', imagePath, `${imagePath}.bmap`, mountPoint]);
	const copyPath = path.join(mountPoint, 'box.img');
	const disk = await usedDisk(mountPoint, 48 * megabyte);
	const [outcome] = await flash([disk], {imagePath: copyPath, seed: {version: 1, site: 'nakuru-4'}});
	t.like(outcome, {kind: 'done', isVerifiedDirect: true});
	t.true((await bytesAt(disk, rootOffset, root.length)).equals(root));
	const image = await openBlockHandle(copyPath, {writable: false, exclusive: false});
	t.teardown(image.close);
	t.is(await image.read(alignedBuffer(1024), 1024), 1024, 'the map of an image may have smaller blocks');
});

/** A /sys in which real disks are cards in one reader: of one size, one name, and with the reader's serial. */
const withOneReader = async (directory: string, devices: readonly string[]): Promise<SystemRoots> => {
	const roots = {sys: path.join(directory, 'sys'), proc: path.join(directory, 'proc')};
	const reader = path.join(roots.sys, 'devices/usb1');
	await mkdir(path.join(roots.sys, 'dev/block'), {recursive: true});
	for (const device of devices) {
		const disk = path.join(reader, 'block', path.basename(device));
		await mkdir(disk, {recursive: true});
		const number = deviceNumber((await stat(device)).rdev);
		await writeFile(path.join(disk, 'dev'), number);
		await writeFile(path.join(disk, 'size'), String((48 * megabyte) / 512));
		await symlink(disk, path.join(roots.sys, 'dev/block', number));
	}
	await writeFile(path.join(reader, 'idVendor'), '0bda');
	await writeFile(path.join(reader, 'serial'), '20100201396000000');
	return roots;
};

test.serial('disks that tell one serial are written at once, and each is resumed by itself', async (t) => {
	const {directory, flash} = await withFlashImage(t);
	const devices: string[] = [];
	for (const name of ['one.img', 'two.img']) {
		const device = await withLoopDevice(t, await usedDisk(directory, 48 * megabyte, name));
		if (device === undefined) {
			return;
		}
		devices.push(device);
	}
	const roots = await withOneReader(directory, devices);
	const controller = new AbortController();
	const half = flash(devices, {
		...{roots, signal: controller.signal},
		onProgress: ({doneBytes, totalBytes}) => doneBytes > totalBytes * 0.85 && controller.abort(new Error('killed')),
	});
	await t.throwsAsync(half, {message: 'killed'});
	t.is((await readdir(path.join(directory, 'journal'))).length, devices.length);
	for (const outcome of await flash(devices, {roots})) {
		t.true(outcome.kind === 'done' && outcome.resumedBytes > megabyte);
	}
});

test.serial('the disk that this machine runs from is known as such', async (t) => {
	const {stdout} = await run('findmnt', ['--noheadings', '--output', 'SOURCE', '/']).catch(() => ({stdout: ''}));
	const source = stdout.trim();
	if (!(await stat(source).catch(() => undefined))?.isBlockDevice()) {
		t.log('SKIPPED: the root of this machine is on no disk of its own');
		t.pass();
		return;
	}
	t.like(refusalOf(await readDeviceFacts(source), 0), {code: 'FLASH_SYSTEM_DISK'});
});

test.serial('the kernel’s own read error is told with its sector', async (t) => {
	const {directory, flash} = await withFlashImage(t);
	const backing = await usedDisk(directory, 48 * megabyte);
	const device = await withLoopDevice(t, backing);
	if (device === undefined) {
		return;
	}
	const [outcome] = await flash([device], {
		openHandle: async (file, options) => {
			const handle = await openBlockHandle(file, options);
			const failAt = 12 * megabyte;
			// The file below the device is cut just before the block is read back: the kernel cannot read it then.
			const read = async (buffer: Buffer, offset: number): Promise<number> => {
				if (file === device && offset <= failAt && offset + buffer.length > failAt) {
					await truncate(backing, failAt);
				}
				return handle.read(buffer, offset);
			};
			return {...handle, read};
		},
	});
	t.is(outcome?.kind, 'failed');
	const error = outcome?.kind === 'failed' ? (outcome.error as Error) : undefined;
	t.like(error, {code: 'FLASH_READ_FAILED'});
	t.regex(error?.message ?? '', /Sector 24576 of \/dev\/loop\d+ cannot be read back/u);
});

test.serial('the kernel’s own write error is told, and the other disk is written', async (t) => {
	const image = await withFlashImage(t);
	const small = await withSmallDisk(t, 16 * megabyte);
	const isMounted = small.mounted && (await statfs(small.directory)).bsize > 0;
	const backing = path.join(small.directory, 'thin.img');
	await run('truncate', ['--size', '48M', backing]);
	const device = isMounted ? await withLoopDevice(t, backing) : undefined;
	if (device === undefined) {
		t.pass();
		return;
	}
	const other = await usedDisk(image.directory, 48 * megabyte);
	const outcomes = await image.flash([device, other]);
	t.deepEqual(
		outcomes.map(({kind}) => kind),
		['failed', 'done'],
	);
	const [failed] = outcomes;
	t.like(failed?.kind === 'failed' ? failed.error : undefined, {code: 'FLASH_WRITE_FAILED'});
	t.true((await bytesAt(other, image.rootOffset, image.root.length)).equals(image.root));
});

/** Kills the tool when it has remembered something; false when it was over first, and has forgotten it again. */
const killHalfway = async (args: readonly string[], state: string): Promise<boolean> => {
	const child = spawn(process.execPath, args, {stdio: ['ignore', 'pipe', 'inherit']});
	let lines = 0;
	for await (const line of createInterface({input: child.stdout})) {
		lines += 1;
		if (lines > 8 && (JSON.parse(line) as {kind: string}).kind === 'progress') {
			child.kill('SIGKILL');
		}
	}
	if (child.exitCode === null && child.signalCode === null) {
		await once(child, 'exit');
	}
	return child.signalCode === 'SIGKILL' && (await readdir(state)).some((name) => name.endsWith('.json'));
};

test.serial('a run that was killed is resumed by the same command', async (t) => {
	const {directory, imagePath, root, rootOffset} = await withFlashImage(t);
	const disk = await usedDisk(directory, 48 * megabyte);
	const state = path.join(directory, 'state');
	const args = ['cli/main.ts', 'flash', imagePath, '--device', disk, '--state', state, '--yes', '--json'];
	let wasKilled = false;
	for (let attempt = 0; attempt < killAttemptsMax && !wasKilled; attempt += 1) {
		wasKilled = await killHalfway(args, state);
	}
	t.true(wasKilled);
	const {stdout} = await run(process.execPath, args);
	const outcome = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {kind: string; resumedBytes: number};
	t.is(outcome.kind, 'done');
	t.true(outcome.resumedBytes > 0, 'something was there already');
	t.true((await bytesAt(disk, rootOffset, root.length)).equals(root));
});
