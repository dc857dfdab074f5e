import {execFile, execFileSync} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import {mkdir, rename, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {hostMirror} from '#image/make/host-mirror.ts';
import {loadRecipe} from '#image/make/recipe.ts';
import {projectRoot} from '#native/project-root.ts';

/** Debian as its own installer leaves it without any task: what boots, and nothing more. */
const packages = ['dbus', 'initramfs-tools', 'libpam-systemd', 'linux-image-amd64', 'systemd-sysv', 'udev', 'zstd'];
const systemMegabytes = 128;
const rootMegabytes = 1500;
const makeTimeoutMs = 15 * 60_000;
const grubModules = ['part_gpt', 'fat', 'normal', 'linux', 'boot', 'serial', 'terminal', 'echo'];

export type PlainDebian = {
	readonly diskPath: string;
	/** Such as `6.12.48+deb13-amd64`. */
	readonly kernel: string;
};

/**
 * A plain Debian of the same suite on a disk of two partitions, with the same kernel arguments for the console as ours:
 * what our own boot is compared with. Made once, and kept beside the images.
 */
export const makePlainDebian = async ({
	kernelArguments,
	signal,
}: {
	readonly kernelArguments: string;
	readonly signal: AbortSignal;
}): Promise<PlainDebian> => {
	const directory = path.join(projectRoot, 'build/image-plain');
	const root = path.join(directory, 'root');
	const diskPath = path.join(directory, 'disk.img');
	const kernelOf = (): string => readdirSync(path.join(root, 'usr/lib/modules'))[0] ?? '';
	if (existsSync(diskPath)) {
		return {diskPath, kernel: kernelOf()};
	}
	await rm(directory, {recursive: true, force: true});
	await mkdir(directory, {recursive: true});
	const {archive, security} = hostMirror();
	const {suite} = loadRecipe('stb', 'amd64');
	await promisify(execFile)(
		'mmdebstrap',
		[
			...['--mode=root', '--format=directory', '--variant=minbase', `--include=${packages.join(',')}`],
			...['--aptopt=Apt::Install-Recommends "false"', suite, root, `deb ${archive} ${suite} main`],
			...[`deb ${archive} ${suite}-updates main`, `deb ${security} ${suite}-security main`],
		],
		{timeout: makeTimeoutMs, signal, maxBuffer: 64 * 1024 * 1024},
	);
	await writeDisk({directory, root, diskPath, kernelArguments, kernel: kernelOf()});
	return {diskPath, kernel: kernelOf()};
};

const writeDisk = async (options: {
	readonly directory: string;
	readonly root: string;
	readonly diskPath: string;
	readonly kernelArguments: string;
	readonly kernel: string;
}): Promise<void> => {
	const {directory, root, diskPath, kernel} = options;
	const file = (name: string): string => path.join(directory, name);
	const run = (command: string, ...args: readonly string[]): void => void execFileSync(command, args, {stdio: 'pipe'});
	await writeFile(
		file('grub.cfg'),
		`linux /vmlinuz root=PARTLABEL=root ro ${options.kernelArguments}\ninitrd /initrd.img\nboot\n`,
	);
	const format = ['--format', 'x86_64-efi', '--prefix', '/EFI/BOOT', '--config', file('grub.cfg')];
	run('grub-mkimage', ...format, '--output', file('grub.efi'), ...grubModules);
	run('truncate', '--size', `${systemMegabytes}M`, file('esp.img'));
	run('mkfs.vfat', file('esp.img'));
	run('mmd', '-i', file('esp.img'), '::/EFI', '::/EFI/BOOT');
	run('mcopy', '-i', file('esp.img'), file('grub.efi'), '::/EFI/BOOT/BOOTX64.EFI');
	run('mcopy', '-i', file('esp.img'), path.join(root, 'boot', `vmlinuz-${kernel}`), '::/vmlinuz');
	run('mcopy', '-i', file('esp.img'), path.join(root, 'boot', `initrd.img-${kernel}`), '::/initrd.img');
	run('mke2fs', '-q', '-t', 'ext4', '-d', root, file('root.img'), `${rootMegabytes}M`);
	const disk = file('disk.img.new');
	run('truncate', '--size', `${systemMegabytes + rootMegabytes + 2}M`, disk);
	const system = ['--new', `1:0:+${systemMegabytes}M`, '--typecode', '1:ef00'];
	run('sgdisk', '--clear', ...system, '--new', `2:0:+${rootMegabytes}M`, '--change-name', '2:root', disk);
	for (const [image, seek] of [
		['esp.img', 1],
		['root.img', 1 + systemMegabytes],
	] as const) {
		run('dd', `if=${file(image)}`, `of=${disk}`, 'bs=1M', `seek=${seek}`, 'conv=notrunc,sparse', 'status=none');
		await rm(file(image));
	}
	await rename(disk, diskPath);
};
