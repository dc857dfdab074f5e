import {execFileSync} from 'node:child_process';
import {mkdir, readFile, rename, rm, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {bundleSoftware} from '#image/make/bundle-software.ts';
import {crossBuild} from '#image/make/cross-build.ts';
import {keepPackages} from '#image/make/debian-packages.ts';
import type {Mirror} from '#image/make/host-mirror.ts';
import {type ImageKeys, signerOf} from '#image/make/image-keys.ts';
import {imageDirectory, type Recipe, rootfsHash} from '#image/make/recipe.ts';
import {programFolders, requireTools} from '#image/make/require-tools.ts';
import {runStage, type StageEnvironment, type StageProgress} from '#image/make/run-stage.ts';
import {sectionArguments} from '#image/make/section-addresses.ts';
import {writeBillOfMaterials} from '#image/make/software-bill.ts';
import {systemConfOf} from '#image/make/system-conf-of.ts';
import {placeNode, requireAddons, targetPackages} from '#image/make/target-code.ts';
import {projectRoot} from '#native/project-root.ts';

export type MakeImageOptions = {
	readonly recipe: Recipe;
	/** Semantic version that the box reports. */
	readonly release: string;
	readonly mirror: Mirror;
	readonly keys: ImageKeys;
	/** Whether the image trusts the development chain as well, and by which its bundle is signed. */
	readonly trust: 'development' | 'release';
	readonly cacheDirectory: string;
	/** Debian's packages anew, though some are kept. */
	readonly refresh: boolean;
	readonly outDirectory: string;
	/** Laid over everything else, for images of tests. */
	readonly extraOverlays?: readonly string[];
	/** Added to the kernel's command line, for images of tests. */
	readonly kernelArguments?: string;
	readonly progress: StageProgress;
	/** Gets what a person should know of the image, in whole lines. */
	readonly tell: (line: string) => void;
	readonly signal: AbortSignal;
};

export type MadeImage = {
	readonly diskPath: string;
	readonly blockMapPath: string;
	readonly bundlePath: string;
	readonly sizes: Readonly<Record<string, number>>;
};

const megabyte = 1024 * 1024;
const imageUmask = 0o022;

/** Makes the disk image, its block map, the update bundle and the bill of materials of one kind of box. */
export const makeImage = async (options: MakeImageOptions): Promise<MadeImage> => {
	const {recipe, outDirectory, cacheDirectory, release, progress, signal} = options;
	// Of the files that are written and of the stages' alike: the builder's own would be in the image.
	process.umask(imageUmask);
	requireTools(recipe, {folders: programFolders()});
	const name = `streamverse-${recipe.kind}-${recipe.architecture}-${release}`;
	const work = path.join(outDirectory, `${name}.work`);
	await rm(work, {recursive: true, force: true});
	await mkdir(work, {recursive: true});
	const epoch = sourceDateEpoch();
	const {sysroot} = await crossBuild({
		...{architecture: recipe.architecture, mirror: options.mirror, cacheDirectory},
		...{logDirectory: work, progress, signal},
	});
	const packages = await targetPackages(recipe.architecture, {cacheDirectory, signal});
	requireAddons(recipe.architecture, packages);
	const environment = stageEnvironment(options, {work, epoch, name, sysroot});
	const run = {environment, logDirectory: work, progress, signal};
	await keepPackages(rootfsPath(options), {
		...{refresh: options.refresh, tell: options.tell},
		make: async (place) => await runStage(['10-rootfs.sh'], {...run, environment: {...environment, SV_ROOTFS: place}}),
	});
	await placeNode(recipe, {file: path.join(work, 'node'), cacheDirectory, signal});
	await bundleSoftware({
		...{recipe, release, packages},
		...{directory: path.join(work, 'software'), nodePath: path.join(work, 'node')},
	});
	await mkdir(path.join(work, 'overlay/etc/rauc'), {recursive: true});
	await writeFile(path.join(work, 'overlay/etc/rauc/system.conf'), systemConfOf(recipe, options.trust));
	await writeFile(path.join(work, 'overlay/etc/rauc/keyring.pem'), options.keys.keyring[options.trust]);
	await runStage(['20-system.sh'], run);
	await runStage(['30-initrd.sh'], run);
	await runStage(['20-system.sh', 'finish'], run);
	await runStage(['40-root-image.sh'], run);
	const sections = await kernelSections(options, work);
	await runStage(['50-boot-image.sh'], {...run, environment: {...environment, SV_SECTIONS: sections.join(' ')}});
	for (const script of ['60-esp-image.sh', '70-disk-image.sh', '80-bundle.sh']) {
		await runStage([script], run);
	}
	await writeBillOfMaterials({recipe, release, epoch, statusPath: path.join(work, 'dpkg-status'), name, outDirectory});
	const made = await finish(options, {work, name});
	await rm(work, {recursive: true, force: true});
	return made;
};

/** The command line, which ties the kernel to its root, and where it and the others lie in the kernel's image. */
const kernelSections = async (
	{recipe, kernelArguments = ''}: MakeImageOptions,
	work: string,
): Promise<readonly string[]> => {
	const told = async (name: string): Promise<string> => (await readFile(path.join(work, name), 'utf8')).trim();
	const line = [
		'root=/dev/mapper/root rootfstype=erofs ro',
		recipe.kernelArguments,
		kernelArguments,
		`streamverse.roothash=${await told('root-hash')}`,
		`streamverse.hashoffset=${await told('hash-offset')}`,
	];
	await writeFile(path.join(work, 'cmdline'), line.filter((part) => part !== '').join(' '));
	const files = {
		'.osrel': path.join(work, 'root/usr/lib/os-release'),
		'.cmdline': path.join(work, 'cmdline'),
		'.initrd': path.join(work, 'initrd.img'),
		'.linux': path.join(work, 'vmlinuz'),
	};
	const sections = Object.entries(files).map(async ([name, file]) => ({name, file, bytes: (await stat(file)).size}));
	return sectionArguments(await readFile(path.join(work, 'stub', recipe.boot.stub)), await Promise.all(sections));
};

const finish = async (
	{outDirectory}: MakeImageOptions,
	{work, name}: {readonly work: string; readonly name: string},
): Promise<MadeImage> => {
	const sizeOf = async (file: string): Promise<number> => (await stat(file)).size;
	const files = {diskPath: `${name}.img`, blockMapPath: `${name}.img.bmap`, bundlePath: `${name}.raucb`};
	const sizes = {
		'root file system': await sizeOf(path.join(work, 'rootfs.img')),
		'kernel and initrd': await sizeOf(path.join(work, 'streamverse.efi')),
		bundle: await sizeOf(path.join(work, files.bundlePath)),
	};
	for (const file of Object.values(files)) {
		await rename(path.join(work, file), path.join(outDirectory, file));
	}
	await writeFile(path.join(outDirectory, `${name}.sizes.json`), `${JSON.stringify(sizes, undefined, '\t')}\n`);
	const [diskPath, blockMapPath, bundlePath] = Object.values(files).map((file) => path.join(outDirectory, file));
	return {diskPath: diskPath ?? '', blockMapPath: blockMapPath ?? '', bundlePath: bundlePath ?? '', sizes};
};

const rootfsPath = ({recipe, cacheDirectory}: MakeImageOptions): string =>
	path.join(cacheDirectory, `rootfs-${rootfsHash(recipe)}.tar`);

const stageEnvironment = (
	options: MakeImageOptions,
	{
		work,
		epoch,
		name,
		sysroot,
	}: {
		readonly work: string;
		readonly epoch: number;
		readonly name: string;
		readonly sysroot: string;
	},
): StageEnvironment => {
	const {recipe, mirror, keys, trust} = options;
	const bytesOf = (label: string): string =>
		String((recipe.partitions.find((partition) => partition.label === label)?.megabytes ?? 0) * megabyte);
	const signer = signerOf(keys, trust);
	const partitions = recipe.partitions.map(({label, type, megabytes, content}) =>
		[label, type, megabytes, content ?? '-'].join(' '),
	);
	return {
		SOURCE_DATE_EPOCH: String(epoch),
		SV_IMAGE: imageDirectory,
		SV_WORK: work,
		SV_ROOT: path.join(work, 'root'),
		SV_ARCH: recipe.architecture,
		SV_SUITE: recipe.suite,
		SV_MIRROR: mirror.archive,
		SV_MIRROR_SECURITY: mirror.security,
		SV_PACKAGES: recipe.packages.join(','),
		SV_ROOTFS: rootfsPath(options),
		SV_OVERLAYS: [...recipe.overlays, path.join(work, 'overlay'), ...(options.extraOverlays ?? [])].join('\n'),
		SV_SOFTWARE: path.join(work, 'software'),
		SV_STATE_PATHS: path.join(imageDirectory, 'profile/base/state-paths'),
		SV_MODULES_DROPPED: recipe.modulesDropped.join('\n'),
		SV_INITRD_SOURCE: path.join(imageDirectory, 'initrd'),
		SV_SLOT_BYTES: bytesOf('rootfs-a'),
		SV_BOOT_BYTES: bytesOf('boot-a'),
		SV_ESP_BYTES: bytesOf('esp'),
		SV_PARTITIONS: partitions.join('\n'),
		SV_STUB: path.join(work, 'stub', recipe.boot.stub),
		SV_EFI_NAME: recipe.boot.efiName,
		SV_GRUB_FORMAT: recipe.boot.grub,
		SV_GRUB_MODULES_DIRECTORY: path.join(sysroot, 'usr/lib/grub', recipe.boot.grub),
		SV_OBJCOPY: recipe.boot.objcopy,
		SV_DB_KEY: keys.secureBoot.key,
		SV_DB_CERT: keys.secureBoot.certificate,
		SV_SIGNER_KEY: signer.key,
		SV_SIGNER_CERT: signer.certificate,
		SV_INTERMEDIATE: signer.intermediate,
		SV_KEYRING: keys.rootPath,
		SV_COMPATIBLE: recipe.compatible,
		SV_VERSION: options.release,
		SV_DISK: path.join(work, `${name}.img`),
		SV_BUNDLE: path.join(work, `${name}.raucb`),
	};
};

/** Of the commit, so that the same sources give the same bytes whenever they are built. */
const sourceDateEpoch = (): number =>
	Number(execFileSync('git', ['-C', projectRoot, 'log', '-1', '--format=%ct'], {encoding: 'utf8'}).trim());
