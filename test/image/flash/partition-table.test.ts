import {readFile} from 'node:fs/promises';
import test from 'ava';
import {efiSystemType, readPartitions} from '#image/flash/partition-table.ts';
import {withFlashImage} from '#test/helper/with-flash-image.ts';

const megabyte = 1024 * 1024;
const partitionsOf = (bytes: Buffer) =>
	readPartitions((offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)), bytes.length);

test('a disk with sectors of 4096 bytes is asked for whole ones', async (t) => {
	const {imagePath} = await withFlashImage(t);
	const whole = await readFile(imagePath);
	const asked: number[] = [];
	await readPartitions((offset, length) => {
		asked.push(offset, length);
		return Promise.resolve(whole.subarray(offset, offset + length));
	}, whole.length);
	t.deepEqual(
		asked.filter((number) => number % 4096 !== 0),
		[],
	);
});

test('the partitions are those that sgdisk made', async (t) => {
	const {imagePath} = await withFlashImage(t);
	const partitions = await partitionsOf(await readFile(imagePath));
	t.deepEqual(
		partitions.map(({name, firstByte, sizeBytes}) => [name, firstByte / megabyte, sizeBytes / megabyte]),
		[
			['esp', 1, 8],
			['root', 9, 20],
			['data', 30, 8],
		],
	);
	t.is(partitions[0]?.typeGuid, efiSystemType);
});

test('a damaged table is refused wherever the damage is', async (t) => {
	const {imagePath} = await withFlashImage(t);
	const whole = await readFile(imagePath);
	for (const at of [512, 512 + 12, 512 + 40, 512 + 72, 512 + 80, 512 + 84, 512 + 88, 1024, 1024 + 130]) {
		const damaged = Buffer.from(whole);
		damaged.writeUInt8(damaged.readUInt8(at) ^ 0xff, at);
		await t.throwsAsync(partitionsOf(damaged), {code: 'FLASH_IMAGE_INVALID'}, `byte ${at}`);
	}
});

test('a disk without a table is refused', async (t) => {
	await t.throwsAsync(partitionsOf(Buffer.alloc(megabyte)), {code: 'FLASH_IMAGE_INVALID'});
	await t.throwsAsync(partitionsOf(Buffer.alloc(100)), {code: 'FLASH_IMAGE_INVALID'});
});
