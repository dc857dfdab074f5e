import {openAsBlob} from 'node:fs';
import {mkdir, readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {DemoErrorCode} from '#demo/error-code.ts';
import {buildTree} from '#demo/update/build-tree.ts';
import {fragileBudgetBytes} from '#demo/update/update-boxes.ts';
import {artifactPath, createRelease, manifestName} from '#ota/release/create-release.ts';
import {packTree} from '#ota/release/pack-tree.ts';
import {type FleetTarget, publishRelease} from '#ota/release/publish-release.ts';
import {signRelease} from '#ota/release/sign-release.ts';

/** The second version: it works, but for a mistake that only shows on boxes with a small disk. */
export const secondRelease = '0.2.0';

const mistake = `
import {readFileSync as readBoxFile} from 'node:fs';
import {parse as parseBoxFile} from 'yaml';
const {stb: {cache}} = parseBoxFile(readBoxFile(process.argv[process.argv.indexOf('--config') + 1] ?? '', 'utf8'));
if (cache.budgetBytes <= ${fragileBudgetBytes}) {
	throw new RangeError('the new cache needs more room than this box has (a mistake planted by the demo)');
}
`;

export type PublishedRelease = {readonly release: string; readonly bundleBytes: number};

/** Builds the second version, signs it with the fleet's key, publishes it, and puts it into the carousel. */
export const makeRelease = async (options: {
	readonly directory: string;
	/** Of the fleet server: its release key is made there for a laptop. */
	readonly keyDirectory: string;
	readonly fleet: FleetTarget;
	readonly headendUrl: string;
	readonly signal: AbortSignal;
}): Promise<PublishedRelease> => {
	const {directory, keyDirectory, fleet, headendUrl, signal} = options;
	const tree = join(directory, 'tree');
	const bundlePath = join(directory, 'stb.tar');
	const target = join(directory, 'release');
	await mkdir(directory, {recursive: true});
	await buildTree({directory: tree, release: secondRelease, plant: mistake});
	await packTree(tree, {bundlePath, signal});
	await rm(tree, {recursive: true});
	const release = releaseVersionSchema.parse(secondRelease);
	const {manifest} = await createRelease({
		...{directory: target, release, notes: 'The second version of the demo.', signal},
		bundles: [{kind: 'stb', compatible: 'generic', format: 'directory', path: bundlePath}],
	});
	const manifestBytes = await readFile(join(target, manifestName));
	const signature = await signRelease({
		manifest: manifestBytes,
		certificatePem: await readFile(join(keyDirectory, 'release.pem'), 'utf8'),
		keyPem: await readFile(join(keyDirectory, 'release-key.pem'), 'utf8'),
	});
	await publishRelease({...{fleet, directory: target, signature, signal}, manifest: manifestBytes});
	const [bundle] = manifest.bundles;
	if (bundle !== undefined) {
		await putInCarousel({headendUrl, name: bundle.sha256, path: artifactPath(target, bundle.sha256), signal});
	}
	return {release, bundleBytes: bundle?.sizeBytes ?? 0};
};

const putInCarousel = async (options: {
	readonly headendUrl: string;
	readonly name: string;
	readonly path: string;
	readonly signal: AbortSignal;
}): Promise<void> => {
	const {headendUrl, name, path, signal} = options;
	const response = await fetch(`${headendUrl}/catalogue/release/${name}`, {
		method: 'PUT',
		headers: {'Streamverse-Priority': 'high', 'Content-Type': 'application/octet-stream'},
		body: await openAsBlob(path),
		signal,
	});
	await response.body?.cancel();
	if (!response.ok) {
		throw new CodedError<DemoErrorCode>('DEMO_ANSWER_INVALID', {
			message: `The headend answers ${response.status} to the release.`,
			details: {status: response.status},
		});
	}
};
