import {execFileSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {partitionOf} from '#test/helper/box-disk.ts';

const dataNumber = 8;
const fillerName = 'filler';
/** Of e2fsck: whole, or made whole. */
const repaired = 1;

/** Leaves a box that is off without one free block for whoever is not root. */
export const fillDataPartition = (diskPath: string, {directory}: {readonly directory: string}): void => {
	const data = dataOf(diskPath);
	repair(data);
	const told = headOf(diskPath);
	const blocks = (what: string): number => Number(new RegExp(`^${what}: +(\\d+)$`, 'mu').exec(told)?.[1]);
	const count = blocks('Free blocks') - blocks('Reserved block count');
	const empty = join(directory, 'empty');
	const commands = join(directory, 'fill');
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
	execFileSync('debugfs', ['-w', '-f', commands, data], {stdio: 'ignore'});
	repair(data);
};

export const freeDataPartition = (diskPath: string): void => {
	const data = dataOf(diskPath);
	repair(data);
	execFileSync('debugfs', ['-w', '-R', `rm ${fillerName}`, data], {stdio: 'ignore'});
	repair(data);
};

/** As a cut of power leaves it while it is made: e2fsck takes it for whole, and half of it is not there. */
export const halfMakeDataPartition = (diskPath: string): void => {
	const {offsetBytes, sizeBytes} = partitionOf(diskPath, dataNumber);
	const data = ['-q', '-F', '-L', 'unfinished', '-E', `offset=${offsetBytes}`, diskPath, `${sizeBytes / 1024}k`];
	execFileSync('mkfs.ext4', data, {stdio: 'pipe'});
	execFileSync('debugfs', ['-w', '-R', 'clri <2>', dataOf(diskPath)], {stdio: 'ignore'});
};

/** The name of its file system, which is the last thing that is made of it. */
export const dataPartitionLabel = (diskPath: string): string | undefined =>
	/^Filesystem volume name: +(\S+)$/mu.exec(headOf(diskPath))?.[1];

const headOf = (diskPath: string): string =>
	execFileSync('dumpe2fs', ['-h', dataOf(diskPath)], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']});

/** The name of what lies on the partition, be it a file system or nothing; undefined when it has none. */
export const dataFileSystem = (diskPath: string): string | undefined => {
	try {
		return dataPartitionLabel(diskPath);
	} catch {
		// dumpe2fs has found no file system.
		return undefined;
	}
};

/** As a boot does. */
export const repairData = (diskPath: string): void => {
	const data = dataOf(diskPath);
	try {
		repair(data);
	} catch {
		execFileSync('e2fsck', ['-y', data], {stdio: 'pipe'});
	}
};

/** Files of the partition, which need not be there, into a folder. */
export const dumpData = (
	diskPath: string,
	{from, directory}: {readonly from: string; readonly directory: string},
): void => {
	execFileSync('debugfs', ['-R', `rdump ${from} ${directory}`, dataOf(diskPath)], {stdio: 'ignore'});
};

/** In the words of e2fsprogs. */
const dataOf = (diskPath: string): string => `${diskPath}?offset=${partitionOf(diskPath, dataNumber).offsetBytes}`;

const repair = (data: string): void => {
	try {
		execFileSync('e2fsck', ['-p', data], {stdio: 'pipe'});
	} catch (error) {
		if (!(error instanceof Error && 'status' in error && error.status === repaired)) {
			throw error;
		}
	}
};
