import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import {mkdir, readdir, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {Writable} from 'node:stream';
import {z} from 'zod';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {buildImage} from '#image/make/build-image.ts';
import {keepOnce} from '#image/make/keep-once.ts';
import {type Architecture, architectures} from '#image/make/recipe.ts';
import {projectRoot} from '#native/project-root.ts';

/** What an image is made of; another file that changes leaves it as it is. */
const ingredients = ['appliance', 'headend', 'image', 'native', 'ota', 'pop-node', 'stb', 'package-lock.json'];
const imagesDirectory = path.join(projectRoot, 'build/image-test');
/** Debian's packages of another architecture are set up in an emulator, once. */
const buildTimeoutMs = 45 * 60_000;

/** Of the boxes that a run of the tests boots. */
export const testArchitecture = z.enum(architectures).parse(process.env['STREAMVERSE_TEST_ARCHITECTURE'] ?? 'amd64');

/** What a bundle for the set-tops of that run is for. */
export const testCompatible = `streamverse-stb-${testArchitecture}`;

/**
 * Of a kind that is updated: RAUC hashes all of two slots for each update, for which an emulated machine needs a minute and
 * more when they are as large as a box's.
 */
const rootSlotMegabytes: Partial<Record<BoxKind, number>> = {stb: 176};

/**
 * An emulated machine is slow where its host is busy: a PC's kernel then fails the test of its timer and panics; the other's disk
 * comes later than systemd waits for, and loading the packet filter has kept it busy for longer than its watchdog waits.
 */
const emulated =
	testArchitecture === 'amd64'
		? 'no_timer_check'
		: 'systemd.default_device_timeout_sec=600 systemd.default_timeout_start_sec=600 systemd.watchdog_sec=300';

export type TestImage = {
	readonly kind: BoxKind;
	readonly architecture: Architecture;
	readonly release: string;
	readonly diskPath: string;
	readonly bundlePath: string;
	/** Debian's packages in it, one a line: name and version. */
	readonly packagesPath: string;
};

export type TestImageOptions = {
	readonly release: string;
	/** Default: a set-top. */
	readonly kind?: BoxKind;
	/** Laid over the image: text by its path in the target. */
	readonly files?: Readonly<Record<string, string>>;
	/** Folders laid over the image as well; one is known by its path, and so must not change. */
	readonly overlays?: readonly string[];
	readonly kernelArguments?: string;
};

/** An image of a box as the working tree makes it; one that was made of the same sources before is taken as it is. */
export const testImage = async ({
	release,
	kind = 'stb',
	files = {},
	overlays = [],
	...options
}: TestImageOptions): Promise<TestImage> => {
	const kernelArguments = [emulated, options.kernelArguments ?? ''].join(' ').trim();
	const sources = sourcesKey();
	const megabytes = rootSlotMegabytes[kind];
	const variant = digest([
		kind,
		testArchitecture,
		release,
		JSON.stringify(files),
		...overlays,
		kernelArguments,
		String(megabytes),
	]).slice(0, 8);
	const directory = path.join(imagesDirectory, sources, `${kind}-${release}-${variant}`);
	const name = `streamverse-${kind}-${testArchitecture}-${release}`;
	const image = {
		...{kind, architecture: testArchitecture, release},
		diskPath: path.join(directory, `${name}.img`),
		bundlePath: path.join(directory, `${name}.raucb`),
		packagesPath: path.join(directory, `${name}.packages.txt`),
	};
	if (existsSync(directory)) {
		return image;
	}
	await removeOthers(sources);
	await keepOnce(directory, async (making) => {
		/** Gone with its folder where the build fails. */
		const told: string[] = [];
		const overlay = path.join(making, 'overlay');
		await mkdir(overlay, {recursive: true});
		for (const [file, text] of Object.entries(files)) {
			await mkdir(path.join(overlay, path.dirname(file)), {recursive: true});
			await writeFile(path.join(overlay, file), text);
		}
		await buildImage({
			...{
				kind,
				architecture: testArchitecture,
				trust: 'development',
				release,
				kernelArguments,
				rootSlotMegabytes: megabytes,
			},
			...{outDirectory: making, extraOverlays: [overlay, ...overlays]},
			output: new Writable({write: (chunk, _encoding, done) => done(void told.push(String(chunk)))}),
			signal: AbortSignal.timeout(buildTimeoutMs),
		}).catch((cause: unknown) => {
			throw new Error(`no image of a ${kind}; so far it told:\n${told.join('')}`, {cause});
		});
	});
	return image;
};

/** Images of sources that are no more would fill the disk. */
const removeOthers = async (sources: string): Promise<void> => {
	const names = existsSync(imagesDirectory) ? await readdir(imagesDirectory) : [];
	for (const name of names.filter((each) => each !== sources)) {
		await rm(path.join(imagesDirectory, name), {recursive: true, force: true});
	}
};

const sourcesKey = (): string => {
	const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...ingredients], {
		cwd: projectRoot,
		encoding: 'utf8',
	})
		.split('\0')
		.filter((file) => file !== '' && existsSync(path.join(projectRoot, file)));
	const contents = files.map((file) => `${file} ${digest([readFileSync(path.join(projectRoot, file))])}`);
	return digest(contents).slice(0, 16);
};

const digest = (parts: readonly (string | Buffer)[]): string => {
	const hash = createHash('sha256');
	for (const part of parts) {
		hash.update(part).update('\0');
	}
	return hash.digest('hex');
};
