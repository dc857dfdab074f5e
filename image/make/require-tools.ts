import {existsSync} from 'node:fs';
import path from 'node:path';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import type {Architecture, Recipe} from '#image/make/recipe.ts';
import {isOwnArchitecture} from '#image/make/target-code.ts';

const tools = [
	'mmdebstrap',
	'mkfs.erofs',
	'veritysetup',
	'sbsign',
	'faketime',
	'mcopy',
	'sgdisk',
	'bmaptool',
	'rauc',
	'cpio',
	'zstd',
];
const crossTools = ['aarch64-linux-gnu-g++', 'cmake', 'ninja'];
/** By which the kernel runs programs of another architecture (Documentation/admin-guide/binfmt-misc.rst). */
const emulators = {amd64: 'qemu-x86_64', arm64: 'qemu-aarch64'} as const;

/**
 * Before an image is begun: what its making runs is on this machine.
 * @throws CodedError IMAGE_NEEDS_ROOT, IMAGE_TOOL_MISSING
 */
export const requireTools = (
	{architecture, boot}: Pick<Recipe, 'architecture' | 'boot'>,
	{
		folders,
		emulatorDirectory = '/proc/sys/fs/binfmt_misc',
		userId = process.getuid?.(),
	}: {
		readonly folders: readonly string[];
		readonly emulatorDirectory?: string;
		readonly userId?: number | undefined;
	},
): void => {
	if (userId !== 0) {
		throw new CodedError<ImageErrorCode>('IMAGE_NEEDS_ROOT', {
			message: 'Making an image needs root: Debian’s packages are unpacked and set up in a chroot.',
		});
	}
	const isOwn = isOwnArchitecture(architecture);
	requirePrograms([...tools, boot.objcopy, ...(isOwn ? [] : crossTools)], {architecture, folders});
	if (!isOwn && !existsSync(path.join(emulatorDirectory, emulators[architecture]))) {
		throw new CodedError<ImageErrorCode>('IMAGE_TOOL_MISSING', {
			message: [
				`The kernel of this machine does not run programs for ${architecture}: ${emulatorDirectory} knows no`,
				`${emulators[architecture]}. As root: mount -t binfmt_misc binfmt_misc ${emulatorDirectory} and then`,
				`update-binfmts --enable ${emulators[architecture]} (Debian 12) or /usr/lib/systemd/systemd-binfmt (Debian 13)`,
			].join(' '),
		});
	}
};

/** @throws CodedError IMAGE_TOOL_MISSING with what installs them. */
export const requirePrograms = (
	names: readonly string[],
	{architecture, folders}: {readonly architecture: Architecture; readonly folders: readonly string[]},
): void => {
	const missing = names.filter((name) => !folders.some((folder) => existsSync(path.join(folder, name))));
	if (missing.length > 0) {
		const list = isOwnArchitecture(architecture)
			? 'apt-packages.txt'
			: `apt-packages-${architecture}.txt for a command with --arch ${architecture}`;
		throw new CodedError<ImageErrorCode>('IMAGE_TOOL_MISSING', {
			message: `These tools are missing: ${missing.join(', ')}; ./streamverse installs them from ${list}.`,
		});
	}
};

export const programFolders = (): readonly string[] =>
	(process.env['PATH'] ?? '').split(':').concat('/usr/sbin', '/sbin');
