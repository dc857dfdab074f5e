import {execFile} from 'node:child_process';
import {open} from 'node:fs/promises';
import {promisify} from 'node:util';
import type {Slot} from '#test/bench/powercut/boot-variables.ts';
import {type Partition, partitionOf} from '#test/helper/box-disk.ts';
import type {TestImage} from '#test/helper/with-image.ts';

/** Numbers in the partition table: kernel, then root file system. An image holds its release in slot A. */
const partitionNumbers: Readonly<Record<Slot, readonly [number, number]>> = {A: [2, 5], B: [3, 6]};
const chunkBytes = 1024 * 1024;
/** Exit status of cmp; 2 would be trouble. */
const differs = 1;
const run = promisify(execFile);

/** The release that lies in a slot of a disk, byte by byte as its image has it; undefined when it is none of them. */
export const wholeReleaseIn = async (
	diskPath: string,
	slot: Slot,
	images: readonly TestImage[],
): Promise<string | undefined> => {
	for (const image of images) {
		const equal = await Promise.all(
			partitionNumbers.A.map(async (number, index) => {
				const source = partitionOf(image.diskPath, number);
				const target = partitionOf(diskPath, partitionNumbers[slot][index] ?? 0);
				return await haveEqualBytes(
					{path: image.diskPath, partition: source},
					{path: diskPath, partition: target},
					await contentBytes(image.diskPath, source),
				);
			}),
		);
		if (equal.every(Boolean)) {
			return image.release;
		}
	}
	return undefined;
};

type Place = {readonly path: string; readonly partition: Partition};

const haveEqualBytes = async (one: Place, other: Place, bytes: number): Promise<boolean> => {
	try {
		const offsets = `${one.partition.offsetBytes}:${other.partition.offsetBytes}`;
		await run('cmp', ['--silent', `--ignore-initial=${offsets}`, `--bytes=${bytes}`, one.path, other.path]);
		return true;
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === differs) {
			return false;
		}
		throw error;
	}
};

const known = new Map<string, Promise<number>>();

/** Up to the last byte that is not zero: behind it the partition of a box keeps what lay there before. */
const contentBytes = (path: string, partition: Partition): Promise<number> => {
	const key = `${path}@${partition.offsetBytes}`;
	const bytes = known.get(key) ?? findContentEnd(path, partition);
	known.set(key, bytes);
	return bytes;
};

const findContentEnd = async (path: string, {offsetBytes, sizeBytes}: Partition): Promise<number> => {
	await using file = await open(path);
	const chunk = Buffer.alloc(chunkBytes);
	for (let endBytes = sizeBytes; endBytes > 0; endBytes -= chunkBytes) {
		const fromBytes = Math.max(0, endBytes - chunkBytes);
		const {bytesRead} = await file.read(chunk, 0, endBytes - fromBytes, offsetBytes + fromBytes);
		const last = chunk.subarray(0, bytesRead).findLastIndex((byte) => byte !== 0);
		if (last >= 0) {
			return fromBytes + last + 1;
		}
	}
	return 0;
};
