import {execFile, execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {readdirSync} from 'node:fs';
import {mkdir, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {hostMirror} from '#image/make/host-mirror.ts';
import {keepOnce} from '#image/make/keep-once.ts';
import {loadRecipe} from '#image/make/recipe.ts';
import {projectRoot} from '#native/project-root.ts';

/** Debian as its own installer leaves it without any task: what boots, and nothing more. */
const packages = ['dbus', 'initramfs-tools', 'libpam-systemd', 'linux-image-amd64', 'systemd-sysv', 'udev', 'zstd'];
const systemMegabytes = 128;
const rootMegabytes = 1500;
/** As the installer writes it. Without it the root stays read-only, and logind is started again and again. */
const fileSystems = 'PARTLABEL=root / ext4 errors=remount-ro 0 1\n';
const diskName = 'disk.img';
const makeTimeoutMs = 15 * 60_000;
const grubModules = ['part_gpt', 'fat', 'normal', 'linux', 'boot', 'serial', 'terminal', 'echo'];

export type PlainDebian = {
	readonly diskPath: string;
	/** Such as `6.12.48+deb13-amd64`. */
	readonly kernel: string;
};

/**
 * A plain Debian of the same suite on a disk of two partitions, with the same kernel arguments for the console as ours:
 * what our own boot is compared with. Made once for the same packages and arguments, and kept beside the images.
 */
export const makePlainDebian = async ({
	kernelArguments,
	signal,
}: {
	readonly kernelArguments: string;
	readonly signal: AbortSignal;
}): Promise<PlainDebian> => {
	const {suite} = loadRecipe('stb', 'amd64');
	const key = createHash('sha256')
		.update(JSON.stringify([suite, packages, fileSystems, kernelArguments]))
		.digest('hex')
		.slice(0, 8);
	const kept = path.join(projectRoot, 'build/image-plain', key);
	await keepOnce(kept, async (directory) => {
		const root = path.join(directory, 'root');
		await mkdir(directory);
		const {archive, security} = hostMirror();
		await promisify(execFile)(
			'mmdebstrap',
			[
				...['--mode=root', '--format=directory', '--variant=minbase', `--include=${packages.join(',')}`],
				...['--aptopt=Apt::Install-Recommends "false"', suite, root, `deb ${archive} ${suite} main`],
				...[`deb ${archive} ${suite}-updates main`, `deb ${security} ${suite}-security main`],
			],
			{timeout: makeTimeoutMs, signal, maxBuffer: 64 * 1024 * 1024},
		);
		await writeFile(path.join(root, 'etc/fstab'), fileSystems);
		await writeDisk({directory, root, kernelArguments, kernel: kernelOf(root)});
	});
	return {diskPath: path.join(kept, diskName), kernel: kernelOf(path.join(kept, 'root'))};
};

const kernelOf = (root: string): string => readdirSync(path.join(root, 'usr/lib/modules'))[0] ?? '';

const writeDisk = async (options: {
	readonly directory: string;
	readonly root: string;
	readonly kernelArguments: string;
	readonly kernel: string;
}): Promise<void> => {
	const {directory, root, kernel} = options;
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
	const disk = file(diskName);
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
};
