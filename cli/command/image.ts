import path from 'node:path';
import type {Command} from 'commander';
import {Option} from 'commander';
import {type BoxKind, boxKinds} from '#appliance/contract/box-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import {stopSignal} from '#cli/stop-signal.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import {projectRoot} from '#native/project-root.ts';

const defaultOut = path.join(projectRoot, 'build/image');

type BuildFlags = {
	readonly arch: 'amd64' | 'arm64';
	readonly out: string;
	readonly release?: string;
	readonly mirror?: string;
	readonly keys?: string;
	readonly cache?: string;
	readonly refresh: boolean;
	readonly trust: 'development' | 'release';
};

type RunFlags = {
	readonly arch: 'amd64' | 'arm64';
	readonly image?: string;
	readonly state: string;
	readonly port: string;
	readonly commissionPort: string;
	readonly fresh: boolean;
};

export const registerImageCommand = (program: Command): void => {
	const image = program.command('image').summary('make a bootable image of a box, or run one in a virtual machine');
	image
		.command('build')
		.summary('make the disk image and the update bundle of one kind of box')
		.description('Debian 13, our software, two slots under dm-verity and a signed boot path; needs root')
		.argument('<kind>', boxKinds.join(', '), parseKind)
		.addOption(new Option('--arch <arch>', 'of the box').choices(['amd64', 'arm64']).default('amd64'))
		.option('--out <dir>', 'where the image goes', defaultOut)
		.option('--release <version>', 'semantic version; default that of package.json')
		.option('--mirror <url>', 'of Debian; default that of this machine’s apt')
		.option('--keys <dir>', 'an operator’s keys; default a development fleet’s, made once')
		.option(
			'--cache <dir>',
			'where Debian’s packages are kept; default $STREAMVERSE_IMAGE_CACHE or ~/.cache/streamverse/image',
		)
		.option('--refresh', 'take Debian’s packages as they are today, instead of those kept', false)
		.addOption(
			new Option('--trust <chain>', 'whose bundles the box takes')
				.choices(['development', 'release'])
				.default('development'),
		)
		.addHelpText('after', '\nExample:\n  # ./streamverse image build stb --release 1.2.0')
		.action(async (kind: BoxKind, flags: BuildFlags) => {
			const {buildImage} = await import('#image/make/build-image.ts');
			await buildImage({
				...{kind, architecture: flags.arch, outDirectory: path.resolve(flags.out), trust: flags.trust},
				...{release: flags.release, mirror: flags.mirror, keysDirectory: flags.keys},
				...{cacheDirectory: flags.cache, refresh: flags.refresh},
				output: process.stderr,
				signal: stopSignal(),
			});
		});
	image
		.command('run')
		.summary('boot an image in QEMU, its console on the terminal')
		.description('the newest image of the kind below the folder of images; its disk is kept, Ctrl-C pulls the plug')
		.argument('<kind>', boxKinds.join(', '), parseKind)
		.addOption(new Option('--arch <arch>', 'of the box').choices(['amd64', 'arm64']).default('amd64'))
		.option('--image <file>', 'another image')
		.option('--state <dir>', 'where the disk of the machine is kept', path.join(projectRoot, 'build/machine'))
		.option('--port <port>', 'on loopback, which leads to port 80 of the box', '8180')
		.option('--commission-port <port>', 'on loopback, which leads to the technician’s page', '8178')
		.option('--fresh', 'a new box of that image, instead of the one that was run before', false)
		.addHelpText('after', '\nExample:\n  $ ./streamverse image run stb')
		.action(async (kind: BoxKind, flags: RunFlags) => {
			const {newestImage, runImage} = await import('#image/qemu/run-image.ts');
			await runImage({
				imagePath: flags.image ?? newestImage(defaultOut, kind, flags.arch),
				architecture: flags.arch,
				stateDirectory: path.resolve(flags.state, `${kind}-${flags.arch}`),
				...{httpPort: Number(flags.port), commissionPort: Number(flags.commissionPort), fresh: flags.fresh},
				output: process.stdout,
				signal: stopSignal(),
			});
		});
};

const parseKind = (text: string): BoxKind => {
	const kind = boxKinds.find((each) => each === text);
	if (kind === undefined) {
		throw new CodedError<ImageErrorCode>('IMAGE_KIND_UNKNOWN', {
			message: `There is no box called ${text}; there are ${boxKinds.join(', ')}.`,
		});
	}
	return kind;
};
