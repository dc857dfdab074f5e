import {createHash} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {parse} from 'yaml';
import {z} from 'zod';
import {type BoxKind, boxKinds} from '#appliance/contract/box-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import {projectRoot} from '#native/project-root.ts';
import {mergePatch} from '#ota/member/merge-patch.ts';

export const architectures = ['amd64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

const partitionSchema = z.strictObject({
	label: z.string().regex(/^[a-z-]{1,36}$/u),
	type: z.string(),
	megabytes: z.int().min(1),
	content: z.string().optional(),
});

const layoutSchema = z.strictObject({
	suite: z.string(),
	kernelArguments: z.string(),
	kinds: z.record(z.string(), z.strictObject({architectures: z.array(z.enum(architectures))})),
	architectures: z.record(
		z.enum(architectures),
		z.strictObject({
			...{kernel: z.string(), efiName: z.string(), stub: z.string(), grub: z.string(), objcopy: z.string()},
			/** The serial one, as the kernel calls it. */
			console: z.string(),
		}),
	),
	partitions: z.array(partitionSchema),
});

export type Partition = z.infer<typeof partitionSchema>;

/** Everything that decides what an image holds, but for the software itself. */
export type Recipe = {
	readonly kind: BoxKind;
	readonly architecture: Architecture;
	readonly suite: string;
	readonly kernelArguments: string;
	readonly packages: readonly string[];
	readonly overlays: readonly string[];
	/** Files that list drivers for what such a box does not have. */
	readonly modulesDropped: readonly string[];
	readonly boxFile: unknown;
	/** RAUC's word for the hardware that a bundle is for. */
	readonly compatible: string;
	readonly boot: z.infer<typeof layoutSchema>['architectures']['amd64'];
	readonly partitions: readonly Partition[];
};

export const imageDirectory = path.join(projectRoot, 'image');

const readLayout = (): z.infer<typeof layoutSchema> =>
	layoutSchema.parse(JSON.parse(readFileSync(path.join(imageDirectory, 'layout.json'), 'utf8')));

/** The kinds of boxes that there are images of for an architecture. */
export const kindsFor = (architecture: Architecture): readonly BoxKind[] =>
	boxKinds.filter((kind) => readLayout().kinds[kind]?.architectures.includes(architecture) === true);

/**
 * Reads the data files of image/ for one kind of box.
 * @throws CodedError IMAGE_RECIPE_INVALID when there is no such image, with those that there are.
 */
export const loadRecipe = (kind: BoxKind, architecture: Architecture): Recipe => {
	const layout = readLayout();
	const allowed = layout.kinds[kind]?.architectures ?? [];
	const boot = layout.architectures[architecture];
	if (!allowed.includes(architecture) || boot === undefined) {
		throw new CodedError<ImageErrorCode>('IMAGE_RECIPE_INVALID', {
			message: `There is no image of a ${kind} for ${architecture}; there is ${allowed.join(' and ')}.`,
		});
	}
	const profiles = ['base', kind].map((name) => path.join(imageDirectory, 'profile', name));
	const compatible = `streamverse-${kind}-${architecture}`;
	const files = profiles.map((profile) => parse(readFileSync(path.join(profile, 'box.yaml'), 'utf8')) as unknown);
	return {
		kind,
		architecture,
		suite: layout.suite,
		kernelArguments: `${layout.kernelArguments} console=${boot.console}`,
		packages: profiles.flatMap((profile) => packagesOf(path.join(profile, 'packages.txt'), boot.kernel)).sort(),
		modulesDropped: profiles
			.map((profile) => path.join(profile, 'modules-dropped.txt'))
			.filter((file) => existsSync(file)),
		overlays: profiles.map((profile) => path.join(profile, 'overlay')).filter((overlay) => existsSync(overlay)),
		boxFile: [...files, {box: {kind}, fleet: {compatible, model: compatible}}].reduce(mergePatch, {}),
		compatible,
		boot,
		partitions: layout.partitions,
	};
};

const packagesOf = (file: string, kernel: string): readonly string[] =>
	readFileSync(file, 'utf8')
		.split('\n')
		.map((line) => line.replace(/#.*/u, '').trim().replace('ARCH', kernel))
		.filter((line) => line !== '');

/** Names the tarball of Debian's packages: the same packages of the same suite give the same name. */
export const rootfsHash = ({suite, architecture, packages}: Recipe): string =>
	createHash('sha256')
		.update(JSON.stringify([suite, architecture, packages]))
		.update(readFileSync(path.join(imageDirectory, 'stage/10-rootfs.sh')))
		.digest('hex')
		.slice(0, 16);
