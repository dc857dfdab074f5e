import {execFile} from 'node:child_process';
import {createCipheriv} from 'node:crypto';
import {open, truncate, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import type {ExecutionContext} from 'ava';
import {type FlashOptions, type FlashOutcome, flashImage, requireDevices} from '#image/flash/flash-image.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const run = promisify(execFile);
const megabyte = 1024 * 1024;

export type FlashImage = {
	readonly directory: string;
	readonly imagePath: string;
	readonly imageBytes: number;
	/** What the image has in its `root` partition, at `rootOffset`. */
	readonly root: Buffer;
	readonly rootOffset: number;
	/** The partition that the image leaves empty. */
	readonly dataOffset: number;
	readonly espOffset: number;
	readonly flash: (devicePaths: readonly string[], more?: Partial<FlashOptions>) => Promise<readonly FlashOutcome[]>;
};

/** An image of 40 MB with an ESP, a root of 17 MB that is not mapped throughout, an empty data partition, and its block map. */
export const withFlashImage = async (t: ExecutionContext): Promise<FlashImage> => {
	const directory = await withDirectory(t);
	const imagePath = path.join(directory, 'box.img');
	const espPath = path.join(directory, 'esp.img');
	const imageBytes = 40 * megabyte;
	const espOffset = megabyte;
	const rootOffset = 9 * megabyte;
	const dataOffset = 30 * megabyte;
	await writeFile(imagePath, '');
	await truncate(imagePath, imageBytes);
	const partitions = [
		...['--new', '1:2048:+8M', '--typecode', '1:ef00', '--change-name', '1:esp'],
		...['--new', '2:18432:+20M', '--change-name', '2:root', '--new', '3:61440:+8M', '--change-name', '3:data'],
	];
	await run('sgdisk', ['--clear', ...partitions, imagePath]);
	await writeFile(espPath, '');
	await truncate(espPath, 8 * megabyte);
	await run('mkfs.vfat', ['-F', '12', '-n', 'ESP', espPath]);
	await run('dd', [
		...[`if=${espPath}`, `of=${imagePath}`, 'bs=1M', `seek=${espOffset / megabyte}`],
		...['conv=notrunc,sparse', 'status=none'],
	]);
	// Bytes without a pattern, and the same ones each time.
	const root = createCipheriv('aes-128-ctr', Buffer.alloc(16, 4), Buffer.alloc(16)).update(Buffer.alloc(17 * megabyte));
	// A hole of two blocks: bytes of a file system that are zeros, and that the map leaves out.
	root.fill(0, 3 * megabyte, 3 * megabyte + 8192);
	{
		await using handle = await open(imagePath, 'r+');
		await handle.write(root, 0, 3 * megabyte, rootOffset);
		await handle.write(root, 3 * megabyte + 8192, root.length - 3 * megabyte - 8192, rootOffset + 3 * megabyte + 8192);
		await handle.sync();
	}
	await run('bmaptool', ['--quiet', 'create', '--output', `${imagePath}.bmap`, imagePath]);
	const flash: FlashImage['flash'] = async (devicePaths, more = {}) =>
		flashImage({
			devices: await requireDevices(devicePaths, {imageBytes, roots: more.roots}),
			...{imagePath, journalDirectory: path.join(directory, 'journal')},
			...{onProgress: () => undefined, signal: AbortSignal.timeout(60_000)},
			...more,
		});
	return {directory, imagePath, imageBytes, root, rootOffset, dataOffset, espOffset, flash};
};

/** A disk that somebody used before: every byte of it is set. */
export const usedDisk = async (directory: string, bytes: number, name = 'disk.img'): Promise<string> => {
	const file = path.join(directory, name);
	await writeFile(file, Buffer.alloc(bytes, 0xa5));
	return file;
};

export const bytesAt = async (file: string, offset: number, length: number): Promise<Buffer> => {
	await using handle = await open(file);
	const buffer = Buffer.alloc(length);
	await handle.read(buffer, 0, length, offset);
	return buffer;
};
