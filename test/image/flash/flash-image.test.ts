import {execFile} from 'node:child_process';
import {copyFile, open, readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {z} from 'zod';
import {openBlockHandle} from '#image/flash/block-handle.ts';
import type {FlashProgress} from '#image/flash/flash-progress.ts';
import {bytesAt, usedDisk, withFlashImage} from '#test/helper/with-flash-image.ts';

const run = promisify(execFile);
const megabyte = 1024 * 1024;

test('an image is written to a used disk so that everything that counts is as in the image', async (t) => {
	const {directory, flash, root, rootOffset, dataOffset, imagePath, imageBytes} = await withFlashImage(t);
	const disk = await usedDisk(directory, 48 * megabyte);
	const seen: FlashProgress[] = [];
	const [outcome] = await flash([disk], {onProgress: (progress) => seen.push(progress)});
	t.like(outcome, {kind: 'done', device: disk, resumedBytes: 0, isTableOwn: true});
	t.true((await bytesAt(disk, rootOffset, root.length)).equals(root), 'the root, its hole of zeros too');
	t.true(
		(await bytesAt(disk, dataOffset, megabyte)).every((byte) => byte === 0),
		'the head of the data partition',
	);
	t.true(
		(await bytesAt(disk, dataOffset + megabyte, 4096)).every((byte) => byte === 0xa5),
		'nothing more is written',
	);
	const {stdout} = await run('sgdisk', ['--verify', disk]);
	t.regex(stdout, /No problems found/u, 'the second table is at the end of this disk');
	t.is(seen.at(-1)?.doneBytes, seen.at(-1)?.totalBytes);
	t.true((seen.at(-1)?.totalBytes ?? 0) < imageBytes, 'what is not mapped is not written');
	t.deepEqual(await readdir(path.join(directory, 'journal')), [], 'nothing is left to resume');
	const esp = path.join(directory, 'esp-on-disk.img');
	await writeFile(esp, await bytesAt(disk, megabyte, 8 * megabyte));
	await t.notThrowsAsync(run('fsck.vfat', ['-n', esp]), 'a FAT with holes is whole on a used disk');
	t.true((await readFile(imagePath)).length === imageBytes);
});

test('each disk has GUIDs of its own, so that the firmware can tell a box which of two it started from', async (t) => {
	const {directory, flash, imagePath} = await withFlashImage(t);
	const disks = [
		await usedDisk(directory, 48 * megabyte, 'one.img'),
		await usedDisk(directory, 48 * megabyte, 'two.img'),
	];
	await flash(disks);
	const tables = await Promise.all([imagePath, ...disks].map(tableOf));
	const guids = tables.flatMap(({id, partitions}) => [id, ...partitions.map(({uuid}) => uuid)]);
	t.is(guids.length, 12);
	t.is(new Set(guids).size, guids.length);
	const rest = tables.map(({partitions}) => partitions.map(({uuid: _, node: __, ...others}) => others));
	t.deepEqual(rest[1], rest[0], 'names, types and places are the image’s');
	t.deepEqual(rest[2], rest[0]);
});

const tableSchema = z.object({
	partitiontable: z.object({
		id: z.string(),
		partitions: z.array(z.looseObject({uuid: z.string(), node: z.string()})),
	}),
});

const tableOf = async (disk: string) => {
	const {stdout} = await run('sfdisk', ['--json', disk]);
	return tableSchema.parse(JSON.parse(stdout)).partitiontable;
};

test('the seed lies in the EFI system partition, readable by others’ tools', async (t) => {
	const {directory, flash, espOffset} = await withFlashImage(t);
	const disk = await usedDisk(directory, 48 * megabyte);
	await flash([disk], {seed: {version: 1, site: 'nairobi-3', tags: ['pilot']}});
	const {stdout} = await run('mtype', ['-i', `${disk}@@${espOffset}`, '::/streamverse/seed.json']);
	t.deepEqual(JSON.parse(stdout), {version: 1, site: 'nairobi-3', tags: ['pilot']});
});

test('a second run replaces the first one’s seed', async (t) => {
	const {directory, flash, espOffset} = await withFlashImage(t);
	const disk = await usedDisk(directory, 48 * megabyte);
	await flash([disk], {seed: {version: 1, site: 'nairobi-3'}});
	await flash([disk]);
	await t.throwsAsync(run('mtype', ['-i', `${disk}@@${espOffset}`, '::/streamverse/seed.json']));
});

test('an image that is not the one of its map is refused, and the disk does not boot', async (t) => {
	const {directory, imagePath, flash, rootOffset} = await withFlashImage(t);
	{
		await using handle = await open(imagePath, 'r+');
		await handle.write(Buffer.from('X'), 0, 1, rootOffset + 12 * megabyte);
	}
	const disk = await usedDisk(directory, 48 * megabyte);
	const error = await t.throwsAsync(flash([disk]), {code: 'FLASH_IMAGE_INVALID'});
	t.regex(error?.message ?? '', /damaged at block \d+/u);
	t.true(
		(await bytesAt(disk, 0, 4096)).every((byte) => byte === 0),
		'the partition table comes last',
	);
});

test('an image of another length than its map says is refused before anything is written', async (t) => {
	const {directory, imagePath, flash} = await withFlashImage(t);
	const shorter = path.join(directory, 'shorter.img');
	await writeFile(shorter, (await readFile(imagePath)).subarray(0, 39 * megabyte));
	await copyFile(`${imagePath}.bmap`, `${shorter}.bmap`);
	const disk = await usedDisk(directory, 48 * megabyte);
	await t.throwsAsync(flash([disk], {imagePath: shorter}), {code: 'FLASH_IMAGE_INVALID'});
	t.true((await bytesAt(disk, 0, 4096)).every((byte) => byte === 0xa5));
});

test('a disk that is too small is refused, and the other one is not touched', async (t) => {
	const {directory, flash} = await withFlashImage(t);
	const large = await usedDisk(directory, 48 * megabyte);
	const small = await usedDisk(directory, 39 * megabyte, 'small.img');
	const error = await t.throwsAsync(flash([large, small]), {code: 'FLASH_DEVICE_SMALL'});
	t.regex(error?.message ?? '', /small\.img is too small/u);
	t.true((await bytesAt(large, 0, 4096)).every((byte) => byte === 0xa5));
});

test('one disk cannot be named twice', async (t) => {
	const {directory, flash} = await withFlashImage(t);
	const disk = await usedDisk(directory, 48 * megabyte);
	await t.throwsAsync(flash([disk, path.join(directory, '.', 'disk.img')]), {code: 'FLASH_DEVICE_UNFIT'});
});

test('a disk that took the place of the one that was confirmed is not written', async (t) => {
	const {directory, flash} = await withFlashImage(t);
	const disk = await usedDisk(directory, 48 * megabyte);
	const other = await usedDisk(directory, 48 * megabyte, 'other.img');
	const error = await t.throwsAsync(
		flash([disk], {openHandle: (file, options) => openBlockHandle(file === disk ? other : file, options)}),
		{code: 'FLASH_DEVICE_UNFIT'},
	);
	t.regex(error?.message ?? '', /disk\.img is no longer the disk that was confirmed/u);
	for (const file of [disk, other]) {
		t.true((await readFile(file)).every((byte) => byte === 0xa5));
	}
});

test('a seed that the box would not take is refused before anything is written', async (t) => {
	const {directory, flash} = await withFlashImage(t);
	const disk = await usedDisk(directory, 48 * megabyte);
	await t.throwsAsync(flash([disk], {seed: {version: 1, site: ''}}), {code: 'FLASH_SEED_INVALID'});
	t.true((await bytesAt(disk, 0, 4096)).every((byte) => byte === 0xa5));
});

test('what is aborted ends with the reason of the signal', async (t) => {
	const {directory, flash} = await withFlashImage(t);
	const disk = await usedDisk(directory, 48 * megabyte);
	const controller = new AbortController();
	const reason = new Error('pulled');
	const flashing = flash([disk], {signal: controller.signal, onProgress: () => controller.abort(reason)});
	t.is(await flashing.catch((error: unknown) => error), reason);
});
