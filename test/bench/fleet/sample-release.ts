import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import {createRelease, manifestName} from '#ota/release/create-release.ts';
import {type FleetTarget, publishRelease} from '#ota/release/publish-release.ts';
import {signRelease} from '#ota/release/sign-release.ts';

const bundleBytes = 4096;

/** A release whose bundle nobody opens: simulated boxes only say that they did. */
export const publishSampleRelease = async (options: {
	readonly directory: string;
	readonly keyDirectory: string;
	readonly release: string;
	readonly fleet: FleetTarget;
	readonly signal: AbortSignal;
}): Promise<void> => {
	const {directory, keyDirectory, fleet, signal} = options;
	const bundlePath = join(directory, 'bundle.tar');
	await writeFile(bundlePath, Buffer.alloc(bundleBytes, options.release));
	const target = join(directory, `release-${options.release}`);
	await createRelease({
		...{directory: target, release: releaseVersionSchema.parse(options.release), notes: 'bench', signal},
		bundles: [{kind: 'stb', compatible: 'generic', format: 'directory', path: bundlePath}],
	});
	const manifest = await readFile(join(target, manifestName));
	const signature = await signRelease({
		manifest,
		certificatePem: await readFile(join(keyDirectory, 'release.pem'), 'utf8'),
		keyPem: await readFile(join(keyDirectory, 'release-key.pem'), 'utf8'),
	});
	await publishRelease({...{fleet, directory: target, manifest, signature, signal}});
};
