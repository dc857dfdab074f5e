import {readFileSync} from 'node:fs';
import path from 'node:path';
import type {Writable} from 'node:stream';
import {z} from 'zod';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {hostMirror, mirrorOf} from '#image/make/host-mirror.ts';
import {openImageCache} from '#image/make/image-cache.ts';
import {developmentKeysDirectory, openImageKeys, type Trust} from '#image/make/image-keys.ts';
import {type MadeImage, makeImage} from '#image/make/make-image.ts';
import {type Architecture, loadRecipe, type Recipe} from '#image/make/recipe.ts';
import {projectRoot} from '#native/project-root.ts';

export type BuildImageOptions = {
	readonly kind: BoxKind;
	readonly architecture: Architecture;
	readonly outDirectory: string;
	readonly trust: Trust;
	readonly release?: string | undefined;
	readonly mirror?: string | undefined;
	readonly keysDirectory?: string | undefined;
	readonly cacheDirectory?: string | undefined;
	/** Debian's packages as they are today. */
	readonly refresh?: boolean;
	readonly extraOverlays?: readonly string[];
	readonly kernelArguments?: string;
	/** Of each root slot, for images of tests: RAUC reads and hashes all of two slots for each update. */
	readonly rootSlotMegabytes?: number | undefined;
	readonly output: Writable;
	readonly signal: AbortSignal;
};

/** `streamverse image build`: makes the image and tells what it does, stage by stage. */
export const buildImage = async (options: BuildImageOptions): Promise<MadeImage> => {
	const {kind, architecture, output, outDirectory, keysDirectory} = options;
	const recipe = withRootSlots(loadRecipe(kind, architecture), options.rootSlotMegabytes);
	const keys = openImageKeys(keysDirectory ?? developmentKeysDirectory, {make: keysDirectory === undefined});
	const cacheDirectory = await openImageCache({named: options.cacheDirectory});
	const made = await makeImage({
		...{recipe, keys, cacheDirectory, outDirectory, trust: options.trust, signal: options.signal},
		refresh: options.refresh ?? false,
		release: options.release ?? packageVersion(),
		mirror: options.mirror === undefined ? hostMirror() : mirrorOf(options.mirror),
		...(options.extraOverlays === undefined ? {} : {extraOverlays: options.extraOverlays}),
		...(options.kernelArguments === undefined ? {} : {kernelArguments: options.kernelArguments}),
		progress: (stage, seconds) => {
			output.write(seconds === undefined ? `${stage} …\n` : `${stage}: done in ${seconds.toFixed(1)} s\n`);
		},
		tell: (line) => output.write(`${line}\n`),
	});
	for (const [name, bytes] of Object.entries(made.sizes)) {
		output.write(`${name}: ${(bytes / 1e6).toFixed(1)} MB\n`);
	}
	output.write(`image:  ${made.diskPath}\nbundle: ${made.bundlePath}\n`);
	return made;
};

const withRootSlots = (recipe: Recipe, megabytes: number | undefined): Recipe =>
	megabytes === undefined
		? recipe
		: {
				...recipe,
				partitions: recipe.partitions.map((each) => (each.label.startsWith('rootfs-') ? {...each, megabytes} : each)),
			};

export const packageVersion = (): string =>
	z.object({version: z.string()}).parse(JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')))
		.version;
