import {execFileSync} from 'node:child_process';
import {statSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

const sectorBytes = 512;
/** Where the first partition of a stick begins, as shops sell them. */
const firstSector = 2048;
const megabyte = 1024 ** 2;
/** Of a file system of FAT32, which is none when it is smaller, beyond what lies on it. */
const spareBytes = 64 * megabyte;

/** A USB stick as an image of a disk: one partition, FAT32, and on it the files in the folder where a box looks. Answers its path. */
export const makeStick = (directory: string, files: Readonly<Record<string, string>>): string => {
	const stick = join(directory, 'stick.img');
	const contentBytes = Object.values(files).reduce((sum, file) => sum + statSync(file).size, 0);
	writeFileSync(stick, '');
	truncateSync(stick, Math.ceil((contentBytes + spareBytes) / megabyte) * megabyte);
	execFileSync('sfdisk', ['--quiet', stick], {input: `label: dos\n${firstSector},,c\n`});
	const partition = `${stick}@@${firstSector * sectorBytes}`;
	execFileSync('mkfs.vfat', ['-F', '32', '-n', 'TECHNICIAN', `--offset=${firstSector}`, stick], {stdio: 'pipe'});
	execFileSync('mmd', ['-i', partition, '::/streamverse']);
	for (const [name, file] of Object.entries(files)) {
		execFileSync('mcopy', ['-i', partition, file, `::/streamverse/${name}`]);
	}
	return stick;
};

/** Plugged into a machine of QEMU. */
export const stickArguments = (stick: string): readonly string[] => [
	...['-device', 'qemu-xhci', '-drive', `if=none,id=stick,format=raw,readonly=on,file=${stick}`],
	...['-device', 'usb-storage,drive=stick,removable=on'],
];
