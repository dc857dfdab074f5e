import {execFileSync} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {Seed} from '#image/seed/seed-schema.ts';

const sectorBytes = 512;

export type Partition = {readonly offsetBytes: number; readonly sizeBytes: number};

/** As the partition table of a raw disk has it. */
export const partitionOf = (diskPath: string, number: number): Partition => {
	const told = execFileSync('sgdisk', ['--info', String(number), diskPath], {encoding: 'utf8'});
	const sectors = (pattern: RegExp): number => Number(pattern.exec(told)?.[1]) * sectorBytes;
	return {offsetBytes: sectors(/First sector: (\d+)/u), sizeBytes: sectors(/Partition size: (\d+)/u)};
};

/** As `streamverse flash` does, onto the EFI system partition, which is the first. */
export const plantSeed = async (
	diskPath: string,
	{directory, seed}: {readonly directory: string; readonly seed: Seed},
): Promise<void> => {
	const file = join(directory, 'seed.json');
	await writeFile(file, JSON.stringify(seed));
	const partition = systemPartition(diskPath);
	execFileSync('mmd', ['-i', partition, '::/streamverse']);
	execFileSync('mcopy', ['-i', partition, file, '::/streamverse/seed.json']);
};

/** GRUB's variables, or their second copy, as they lie on the disk, also of a machine that runs. */
export const bootVariablesOf = (diskPath: string, copy: 'grubenv' | 'grubenv.second' = 'grubenv'): string =>
	execFileSync('mtype', ['-i', systemPartition(diskPath), `::/EFI/streamverse/${copy}`], {
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'pipe'],
	});

/** In the words of mtools. */
const systemPartition = (diskPath: string): string => `${diskPath}@@${partitionOf(diskPath, 1).offsetBytes}`;
