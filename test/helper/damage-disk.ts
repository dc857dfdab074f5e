import {execFileSync} from 'node:child_process';
import {closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {partitionOf} from '#test/helper/box-disk.ts';

/** Numbers of the partitions of a slot. */
export const bootPartitions = {A: 2, B: 3, R: 4} as const;
export const rootPartitions = {A: 5, B: 6, R: 7} as const;
export type SlotLetter = keyof typeof bootPartitions;

const systemPartition = 1;
const copyBlockBytes = 1024 * 1024;
/** Of EROFS: each start reads it. */
const superblockBytes = 1024;
const temporaryPrefix = path.join(tmpdir(), 'streamverse-disk-');

/** A file in one of the FAT partitions of a raw disk. */
export type FatFile = {readonly disk: string; readonly partition: number; readonly name: string};

const fatOf = ({disk, partition}: FatFile): string => `${disk}@@${partitionOf(disk, partition).offsetBytes}`;

/** Gives a file of a FAT partition to a change, and puts back what it made. */
export const changeFile = async (fatFile: FatFile, change: (file: string) => void): Promise<void> => {
	const directory = await mkdtemp(temporaryPrefix);
	try {
		const file = path.join(directory, 'file');
		execFileSync('mcopy', ['-n', '-i', fatOf(fatFile), fatFile.name, file], {stdio: 'pipe'});
		change(file);
		putFile(fatFile, file);
	} finally {
		await rm(directory, {recursive: true});
	}
};

export const putFile = (fatFile: FatFile, file: string): void =>
	void execFileSync('mcopy', ['-o', '-i', fatOf(fatFile), file, fatFile.name], {stdio: 'pipe'});

const environmentFile = (disk: string, name: string): FatFile => ({
	...{disk, partition: systemPartition, name: `::/EFI/streamverse/${name}`},
});

/** Both copies of GRUB's variables. */
export const environmentFiles = (disk: string): readonly [FatFile, FatFile] => [
	environmentFile(disk, 'grubenv'),
	environmentFile(disk, 'grubenv.second'),
];

export const setVariables = async (disk: string, variables: readonly string[]): Promise<void> => {
	for (const file of environmentFiles(disk)) {
		await changeFile(file, (copy) => {
			execFileSync('grub-editenv', [copy, 'set', ...variables]);
		});
	}
};

/** The program that the firmware starts. */
export const bootLoader = (disk: string): FatFile => ({
	...{disk, partition: systemPartition, name: '::/EFI/BOOT/BOOTX64.EFI'},
});

export const kernelOf = (disk: string, slot: SlotLetter): FatFile => ({
	...{disk, partition: bootPartitions[slot], name: '::/streamverse.efi'},
});

/** Writes to one slot what another holds, as an update would. */
export const copySlot = (disk: string, from: SlotLetter, to: SlotLetter): void => {
	for (const partitions of [bootPartitions, rootPartitions]) {
		const source = partitionOf(disk, partitions[from]);
		const target = partitionOf(disk, partitions[to]);
		const blocks = (bytes: number): string => String(bytes / copyBlockBytes);
		execFileSync('dd', [
			...[`if=${disk}`, `of=${disk}`, `bs=${copyBlockBytes}`, 'conv=notrunc,sparse', 'status=none'],
			...[`skip=${blocks(source.offsetBytes)}`, `seek=${blocks(target.offsetBytes)}`],
			`count=${blocks(source.sizeBytes)}`,
		]);
	}
};

/** One bit of a root file system, where each start reads it. */
export const flipRootBit = (disk: string, slot: SlotLetter): void => {
	const at = partitionOf(disk, rootPartitions[slot]).offsetBytes + superblockBytes;
	const file = openSync(disk, 'r+');
	try {
		const byte = Buffer.alloc(1);
		readSync(file, byte, 0, 1, at);
		byte.writeUInt8(byte.readUInt8() ^ 1);
		writeSync(file, byte, 0, 1, at);
	} finally {
		closeSync(file);
	}
};

/** In the middle of a file. */
export const flipBit = (file: string): void => {
	const bytes = readFileSync(file);
	const middle = Math.floor(bytes.length / 2);
	bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
	writeFileSync(file, bytes);
};
