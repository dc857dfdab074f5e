import {createHash} from 'node:crypto';
import {constants, copyFile, link, mkdir, readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {
	type Bundle,
	type ReleaseManifest,
	type ReleaseVersion,
	releaseManifestSchema,
	type Sha256,
	sha256Schema,
} from '#appliance/contract/fleet/release-schema.ts';
import {hasCode} from '#appliance/error/coded-error.ts';
import {blockSizeBytes, digestBundle, digestBytes} from '#ota/release/digest-bundle.ts';
import {findTrees} from '#ota/release/find-trees.ts';
import {releaseError} from '#ota/release/release-error.ts';

export type BundleSource = Pick<Bundle, 'kind' | 'compatible' | 'format' | 'minimumRelease'> & {readonly path: string};

export type ReleaseDirectory = {readonly manifest: ReleaseManifest; readonly directory: string};

/** Where things are in a release's directory. */
export const manifestName = 'manifest.json';
export const signatureName = 'manifest.cms';
export const artifactPath = (directory: string, sha256: Sha256): string => join(directory, 'artifact', sha256);

/**
 * A release's directory: `manifest.json`, and every file that it names as `artifact/<sha256>` (a hard link where the file
 * system can). Not signed yet.
 */
export const createRelease = async (options: {
	readonly directory: string;
	readonly release: ReleaseVersion;
	readonly notes: string;
	readonly bundles: readonly BundleSource[];
	readonly createdAtMs?: number;
	readonly signal: AbortSignal;
	readonly onProgress?: (path: string, doneBytes: number, totalBytes: number) => void;
}): Promise<ReleaseDirectory> => {
	const {directory, signal} = options;
	await mkdir(join(directory, 'artifact'), {recursive: true});
	const bundles: Bundle[] = [];
	for (const source of options.bundles) {
		bundles.push(await addBundle(source, {directory, signal, onProgress: options.onProgress}));
	}
	const names = bundles.map(({kind, compatible}) => `${kind} ${compatible}`);
	if (new Set(names).size !== names.length) {
		throw releaseError('OTA_RELEASE_BUNDLE_INVALID', {
			message: 'Two bundles are for the same kind of box and the same hardware: which is meant?',
			details: {bundles: names},
		});
	}
	const manifest = releaseManifestSchema.parse({
		version: 1,
		release: options.release,
		createdAt: new Date(options.createdAtMs ?? Date.now()).toISOString(),
		notes: options.notes,
		bundles,
	});
	await writeFile(join(directory, manifestName), `${JSON.stringify(manifest, undefined, '\t')}\n`, {flag: 'wx'});
	return {manifest, directory};
};

/** What `createRelease` wrote, and its signature when it has one. Not verified: see `verifyRelease`. */
export const readReleaseDirectory = async (
	directory: string,
): Promise<{readonly manifest: Buffer; readonly signature: Buffer | undefined}> => ({
	manifest: await readFile(join(directory, manifestName)),
	signature: await readFile(join(directory, signatureName)).catch((error: unknown) => {
		if (hasCode(error, 'ENOENT')) {
			return undefined;
		}
		throw error;
	}),
});

const addBundle = async (
	{path, ...source}: BundleSource,
	options: {
		readonly directory: string;
		readonly signal: AbortSignal;
		readonly onProgress: ((path: string, doneBytes: number, totalBytes: number) => void) | undefined;
	},
): Promise<Bundle> => {
	const file = await stat(path);
	if (!file.isFile() || file.size === 0) {
		throw releaseError('OTA_RELEASE_BUNDLE_INVALID', {message: `${path} is no file, or an empty one.`});
	}
	const {sizeBytes, sha256, blockList} = await digestBundle(path, {
		signal: options.signal,
		onProgress: (doneBytes) => options.onProgress?.(path, doneBytes, file.size),
	});
	await place(path, artifactPath(options.directory, sha256));
	const listSha256 = sha256Schema.parse(createHash('sha256').update(blockList).digest('hex'));
	await writeFile(artifactPath(options.directory, listSha256), blockList);
	const trees = source.format === 'rauc' ? [...(await findTrees(path, {signal: options.signal}))] : [];
	return {
		...source,
		sizeBytes,
		sha256,
		blocks: {blockSizeBytes, digestBytes, sizeBytes: blockList.length, sha256: listSha256, trees},
	};
};

const place = async (from: string, to: string): Promise<void> => {
	try {
		await link(from, to);
	} catch (error) {
		if (hasCode(error, 'EEXIST')) {
			return;
		}
		if (!hasCode(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP')) {
			throw error;
		}
		await copyFile(from, to, constants.COPYFILE_FICLONE);
	}
};
