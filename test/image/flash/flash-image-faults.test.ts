import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {alignedBuffer, type BlockHandle, type OpenBlockHandle, openBlockHandle} from '#image/flash/block-handle.ts';
import type {FlashOutcome} from '#image/flash/flash-image.ts';
import {bytesAt, type FlashImage, usedDisk, withFlashImage} from '#test/helper/with-flash-image.ts';

const megabyte = 1024 * 1024;
/** Inside the root, and not at the beginning of a chunk. */
const badSector = (9 * megabyte + 5 * megabyte + 8192) / 512;

type Fault = (handle: BlockHandle) => Partial<BlockHandle>;

/** Disks that fail at the edge of the process: as the kernel tells it. */
const failing =
	(devicePath: string, fault: Fault): OpenBlockHandle =>
	async (file, options) => {
		const handle = await openBlockHandle(file, options);
		return file === devicePath ? {...handle, ...fault(handle)} : handle;
	};

const kernelError = (code: string): Error => Object.assign(new Error(`${code}: as the kernel says`), {code});
const covers = (buffer: Buffer, offset: number): boolean =>
	offset <= badSector * 512 && offset + buffer.length > badSector * 512;

const failureOf = (outcomes: readonly FlashOutcome[], device: string): Error => {
	const outcome = outcomes.find((each) => each.device === device);
	return outcome?.kind === 'failed' ? (outcome.error as Error) : new Error(`${device} did not fail`);
};

const failsWith = test.macro(async (t, fault: Fault, expected: {readonly code: string; readonly message: RegExp}) => {
	const {directory, flash} = await withFlashImage(t);
	const disk = await usedDisk(directory, 48 * megabyte);
	const other = await usedDisk(directory, 48 * megabyte, 'other.img');
	const outcomes = await flash([disk, other], {openHandle: failing(disk, fault)});
	const error = failureOf(outcomes, disk);
	t.like(error, {code: expected.code});
	t.regex(error.message, expected.message);
	t.is(outcomes.find(({device}) => device === other)?.kind, 'done', 'the other disk is written all the same');
	t.true(
		(await bytesAt(disk, 0, 4096)).every((byte) => byte === 0),
		'what failed does not boot',
	);
});

test(
	'a write error names its sector and the likely cause',
	failsWith,
	({write}: BlockHandle) => ({
		write: (buffer: Buffer, offset: number) =>
			covers(buffer, offset) ? Promise.reject(kernelError('EIO')) : write(buffer, offset),
	}),
	{code: 'FLASH_WRITE_FAILED', message: new RegExp(`Sector ${badSector} of .* cannot be written: .*worn out`, 'u')},
);

test(
	'a read error names its sector and the likely cause',
	failsWith,
	({read}: BlockHandle) => ({
		read: (buffer: Buffer, offset: number) =>
			covers(buffer, offset) ? Promise.reject(kernelError('EIO')) : read(buffer, offset),
	}),
	{code: 'FLASH_READ_FAILED', message: new RegExp(`Sector ${badSector} of .* cannot be read back: .*worn out`, 'u')},
);

test(
	'a disk that forgets what was written is found by reading it back',
	failsWith,
	({write}: BlockHandle) => ({
		write: async (buffer: Buffer, offset: number) => {
			const forgotten = alignedBuffer(buffer.length);
			buffer.copy(forgotten);
			if (covers(buffer, offset)) {
				forgotten.fill(0x5a, badSector * 512 - offset, badSector * 512 - offset + 512);
			}
			const written = await write(forgotten, offset);
			return written;
		},
	}),
	{code: 'FLASH_VERIFY_FAILED', message: new RegExp(`Sector ${badSector} of .* holds something else`, 'u')},
);

test(
	'a write-protected disk is called so',
	failsWith,
	({write}: BlockHandle) => ({
		write: (buffer: Buffer, offset: number) =>
			covers(buffer, offset) ? Promise.reject(kernelError('EROFS')) : write(buffer, offset),
	}),
	{code: 'FLASH_WRITE_FAILED', message: /write-protected/u},
);

test(
	'a disk that the kernel no longer has is called gone',
	failsWith,
	({write}: BlockHandle) => ({
		write: (buffer: Buffer, offset: number) =>
			covers(buffer, offset) ? Promise.reject(kernelError('ENODEV')) : write(buffer, offset),
	}),
	{code: 'FLASH_DEVICE_GONE', message: /unplugged/u},
);

test(
	'a disk that ends early is smaller than it says',
	failsWith,
	({write}: BlockHandle) => ({
		write: (buffer: Buffer, offset: number) => (covers(buffer, offset) ? Promise.resolve(0) : write(buffer, offset)),
	}),
	{code: 'FLASH_WRITE_FAILED', message: /smaller than it says/u},
);

for (const [which, failingSync] of [
	['of the image', 1],
	['of the seed', 2],
] as const) {
	test(`an error of the last sync ${which} names no sector, because nobody knows which`, async (t) => {
		const {directory, flash} = await withFlashImage(t);
		const disk = await usedDisk(directory, 48 * megabyte);
		let syncs = 0;
		const outcomes = await flash([disk], {
			seed: {version: 1, site: 'nairobi-3'},
			openHandle: failing(disk, ({sync}) => ({
				isDirect: true,
				sync: () => {
					syncs += 1;
					return syncs === failingSync ? Promise.reject(kernelError('EIO')) : sync();
				},
			})),
		});
		const error = failureOf(outcomes, disk);
		t.like(error, {code: 'FLASH_WRITE_FAILED'});
		t.regex(error.message, /^\S+disk\.img cannot be written: the disk is worn out/u);
	});
}

test('a write that fails once names no sector when each part of it can be written', async (t) => {
	const {directory, flash} = await withFlashImage(t);
	const disk = await usedDisk(directory, 48 * megabyte);
	let failed = false;
	const outcomes = await flash([disk], {
		openHandle: failing(disk, ({write}) => ({
			write: (buffer, offset) => {
				if (!failed && covers(buffer, offset)) {
					failed = true;
					return Promise.reject(kernelError('EIO'));
				}
				return write(buffer, offset);
			},
		})),
	});
	t.regex(failureOf(outcomes, disk).message, /^\S+disk\.img cannot be written: the disk is worn out/u);
});

/** Ends the run after some chunks, as a kill does, and tells how much the next one finds. */
const resumed = async (
	{directory, flash}: FlashImage,
	between: (disk: string) => Promise<void>,
): Promise<{readonly outcome: FlashOutcome | undefined; readonly writtenBytes: number; readonly disk: string}> => {
	const disk = await usedDisk(directory, 48 * megabyte);
	const controller = new AbortController();
	const half = flash([disk], {
		signal: controller.signal,
		onProgress: ({doneBytes, totalBytes}) => doneBytes > totalBytes * 0.85 && controller.abort(new Error('killed')),
	});
	await half.catch(() => undefined);
	await between(disk);
	let writtenBytes = 0;
	const [outcome] = await flash([disk], {
		openHandle: failing(disk, ({write}) => ({
			write: (buffer, offset) => {
				writtenBytes += buffer.length;
				return write(buffer, offset);
			},
		})),
	});
	return {outcome, writtenBytes, disk};
};

test('an interrupted run is resumed: what is there is read and not written again', async (t) => {
	const image = await withFlashImage(t);
	const {outcome, writtenBytes, disk} = await resumed(image, () => Promise.resolve());
	t.is(outcome?.kind, 'done');
	t.true(outcome?.kind === 'done' && outcome.resumedBytes > megabyte);
	t.true(outcome?.kind === 'done' && writtenBytes === outcome.writtenBytes - outcome.resumedBytes);
	t.true((await bytesAt(disk, image.rootOffset, image.root.length)).equals(image.root));
});

test('what a journal says is not believed: a disk that changed meanwhile is written where it did', async (t) => {
	const image = await withFlashImage(t);
	const {outcome, disk} = await resumed(image, async (file) => {
		const bytes = await bytesAt(file, 0, 48 * megabyte);
		bytes.fill(0xee, image.rootOffset, image.rootOffset + 4096);
		await writeFile(file, bytes);
	});
	t.is(outcome?.kind, 'done');
	t.true((await bytesAt(disk, image.rootOffset, image.root.length)).equals(image.root));
});

test('a damaged journal means from the beginning', async (t) => {
	const image = await withFlashImage(t);
	const {outcome} = await resumed(image, async () => {
		const {readdir} = await import('node:fs/promises');
		for (const name of await readdir(path.join(image.directory, 'journal'))) {
			await writeFile(path.join(image.directory, 'journal', name), '{"version": 1, "chunksDone": 9');
		}
	});
	t.like(outcome, {kind: 'done', resumedBytes: 0});
});
