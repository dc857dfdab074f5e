import {execFileSync} from 'node:child_process';
import {rmSync, writeFileSync} from 'node:fs';
import {partitionOf} from '#test/helper/box-disk.ts';

const dataNumber = 8;
const fillerName = 'filler';
/** Of e2fsck: whole, or made whole. */
const repaired = 1;

/** Leaves a box that is off without one free block for whoever is not root. */
export const fillDataPartition = (diskPath: string): void =>
	changeData(diskPath, (file) => {
		const told = headOf(file);
		const blocks = (what: string): number => Number(new RegExp(`^${what}: +(\\d+)$`, 'mu').exec(told)?.[1]);
		const count = blocks('Free blocks') - blocks('Reserved block count');
		const [empty, commands] = [`${file}.empty`, `${file}.commands`];
		writeFileSync(empty, '');
		writeFileSync(
			commands,
			[
				`write ${empty} ${fillerName}`,
				`fallocate ${fillerName} 0 ${count - 1}`,
				`set_inode_field ${fillerName} size ${count * blocks('Block size')}`,
				'',
			].join('\n'),
		);
		execFileSync('debugfs', ['-w', '-f', commands, file], {stdio: 'ignore'});
		rmSync(empty);
		rmSync(commands);
	});

export const freeDataPartition = (diskPath: string): void =>
	changeData(diskPath, (file) => execFileSync('debugfs', ['-w', '-R', `rm ${fillerName}`, file], {stdio: 'ignore'}));

/** As a cut of power leaves it while it is made: e2fsck takes it for whole, and half of it is not there. */
export const halfMakeDataPartition = (diskPath: string): void => {
	const file = takeData(diskPath);
	execFileSync('mkfs.ext4', ['-q', '-F', '-L', 'unfinished', file], {stdio: 'pipe'});
	execFileSync('debugfs', ['-w', '-R', 'clri <2>', file], {stdio: 'ignore'});
	putBack(diskPath, file);
};

/** The name of its file system, which is the last thing that is made of it; undefined when there is no file system. */
export const dataPartitionLabel = (diskPath: string): string | undefined => {
	try {
		const data = `${diskPath}?offset=${partitionOf(diskPath, dataNumber).offsetBytes}`;
		return /^Filesystem volume name: +(\S+)$/mu.exec(headOf(data))?.[1];
	} catch {
		// dumpe2fs has found none.
		return undefined;
	}
};

/** Files that the partition keeps, which need not be there, into a folder; as a boot would find them. */
export const dumpData = (
	diskPath: string,
	{from, directory}: {readonly from: string; readonly directory: string},
): void => {
	const file = takeData(diskPath);
	repair(file);
	execFileSync('debugfs', ['-R', `rdump ${from} ${directory}`, file], {stdio: 'ignore'});
	rmSync(file);
};

const headOf = (data: string): string =>
	execFileSync('dumpe2fs', ['-h', data], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']});

const changeData = (diskPath: string, change: (file: string) => void): void => {
	const file = takeData(diskPath);
	repair(file);
	change(file);
	repair(file);
	putBack(diskPath, file);
};

/** As a file of its own: at an offset e2fsck loses a file system whose journal it has replayed. */
const takeData = (diskPath: string): string => {
	const file = `${diskPath}.data`;
	execFileSync('qemu-img', ['convert', '-O', 'raw', placeOf(diskPath), file]);
	return file;
};

const putBack = (diskPath: string, file: string): void => {
	execFileSync('qemu-img', ['convert', '-n', '-f', 'raw', '-O', 'raw', file, placeOf(diskPath)]);
	rmSync(file);
};

/** In the words of QEMU. */
const placeOf = (diskPath: string): string => {
	const {offsetBytes: offset, sizeBytes: size} = partitionOf(diskPath, dataNumber);
	return `json:${JSON.stringify({driver: 'raw', offset, size, file: {driver: 'file', filename: diskPath}})}`;
};

/** As a boot does. */
const repair = (file: string): void => {
	for (const how of ['-p', '-y']) {
		try {
			execFileSync('e2fsck', [how, file], {stdio: 'pipe'});
			return;
		} catch (error) {
			if (error instanceof Error && 'status' in error && error.status === repaired) {
				return;
			}
			if (how === '-y') {
				throw error;
			}
		}
	}
};
