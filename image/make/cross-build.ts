import {createHash} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import {hostSuite, type Mirror} from '#image/make/host-mirror.ts';
import {keepOnce} from '#image/make/keep-once.ts';
import {type Architecture, imageDirectory} from '#image/make/recipe.ts';
import {runStage, type StageProgress} from '#image/make/run-stage.ts';
import {addonsDirectory, isOwnArchitecture} from '#image/make/target-code.ts';
import {projectRoot} from '#native/project-root.ts';

/** What our addons are linked with, as in apt-packages.txt, and GRUB. */
const sysrootPackages = [
	'libc6-dev',
	'libdvbv5-dev',
	'libexpat1-dev',
	'libisal-dev',
	'libsoapysdr-dev',
	'libssl-dev',
	'zlib1g-dev',
	'grub-efi-arm64-bin',
];

export type CrossBuild = {
	/** Where /usr/lib of the other architecture is to be looked for. */
	readonly sysroot: string;
};

/**
 * Builds our native addons for an architecture that is not this machine's, as far as sources changed, with this Debian's
 * libraries for it. Nothing is built, and the root is this machine's, for its own architecture.
 */
export const crossBuild = async (options: {
	readonly architecture: Architecture;
	readonly mirror: Mirror;
	readonly cacheDirectory: string;
	readonly logDirectory: string;
	readonly progress: StageProgress;
	readonly signal: AbortSignal;
}): Promise<CrossBuild> => {
	const {architecture, mirror, cacheDirectory, ...run} = options;
	if (isOwnArchitecture(architecture)) {
		return {sysroot: '/'};
	}
	const toolchain = path.join(projectRoot, 'native', `${architecture}-toolchain.cmake`);
	if (!existsSync(toolchain)) {
		throw new CodedError<ImageErrorCode>('IMAGE_ADDONS_MISSING', {
			message: `Native addons for ${architecture} cannot be built on this machine: there is no ${toolchain}.`,
		});
	}
	const suite = hostSuite();
	const sysroot = path.join(cacheDirectory, `sysroot-${suite}-${architecture}-${sysrootHash()}`);
	const environment = {
		SV_ARCH: architecture,
		SV_HOST_SUITE: suite,
		SV_MIRROR: mirror.archive,
		SV_MIRROR_SECURITY: mirror.security,
		SV_SYSROOT: sysroot,
		SV_SYSROOT_PACKAGES: sysrootPackages.join(','),
		SV_NATIVE: path.join(projectRoot, 'native'),
		SV_NATIVE_BUILD: path.dirname(addonsDirectory(architecture)),
		SV_TOOLCHAIN: toolchain,
		SV_NODE_HEADERS: path.join(projectRoot, 'node_modules/node-api-headers/include'),
	};
	await keepOnce(sysroot, async (place) => {
		await runStage(['00-sysroot.sh'], {...run, environment: {...environment, SV_SYSROOT: place}});
	});
	await runStage(['05-addons.sh'], {...run, environment});
	return {sysroot};
};

const sysrootHash = (): string =>
	createHash('sha256')
		.update(JSON.stringify(sysrootPackages))
		.update(readFileSync(path.join(imageDirectory, 'stage/00-sysroot.sh')))
		.digest('hex')
		.slice(0, 8);
