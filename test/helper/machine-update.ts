import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import type {RolloutCreate} from '#ota/contract/rollout-api.ts';
import {createRelease, readReleaseDirectory} from '#ota/release/create-release.ts';
import {publishRelease} from '#ota/release/publish-release.ts';
import {signRelease} from '#ota/release/sign-release.ts';
import {type TestOwner, withDirectory} from '#test/helper/with-directory.ts';
import type {TestFleet} from '#test/helper/with-fleet.ts';
import {type TestImage, testCompatible} from '#test/helper/with-image.ts';
import {bootTimeoutMs} from '#test/helper/with-machine.ts';

const publishTimeoutMs = 5 * 60_000;

export type SignOptions = {
	readonly fleet: TestFleet;
	readonly image: Pick<TestImage, 'release' | 'bundlePath'>;
	/** What the release says that the bundle is for. */
	readonly compatible?: string;
};

/** Signs the update of an image with the fleet's own key. */
export const signImage = async (
	t: TestOwner,
	{fleet, image, compatible = testCompatible}: SignOptions,
): Promise<{readonly directory: string; readonly manifest: Buffer; readonly signature: Buffer}> => {
	const {release, bundlePath} = image;
	const directory = join(await withDirectory(t), 'release');
	const keys = join(fleet.stateDirectory, 'release-key');
	const signal = AbortSignal.timeout(publishTimeoutMs);
	await createRelease({
		...{directory, release: releaseVersionSchema.parse(release), notes: 'Of a test.', signal},
		bundles: [{kind: 'stb', compatible, format: 'rauc', path: bundlePath}],
	});
	const {manifest} = await readReleaseDirectory(directory);
	const signature = await signRelease({
		manifest,
		certificatePem: await readFile(join(keys, 'release.pem'), 'utf8'),
		keyPem: await readFile(join(keys, 'release-key.pem'), 'utf8'),
	});
	return {directory, manifest, signature};
};

/** Signs the update of an image with the fleet's own key, and publishes it there. */
export const publishImage = async (t: TestOwner, options: SignOptions): Promise<void> => {
	const {url, token} = options.fleet;
	const signal = AbortSignal.timeout(publishTimeoutMs);
	await publishRelease({fleet: {url, token}, ...(await signImage(t, options)), signal});
};

/** One order for the machine, with time for each phase as an emulated machine needs it. */
export const rolloutTo = (
	release: string,
	id: string,
	{confirmMs = 2 * bootTimeoutMs}: {readonly confirmMs?: number} = {},
): RolloutCreate => ({
	name: `to ${release}`,
	release: releaseVersionSchema.parse(release),
	kind: 'stb',
	filter: `id = ${id}`,
	groups: [{name: 'all', size: {kind: 'percent', percent: 100}, errorPercent: null}],
	deadlines: {
		acceptMs: bootTimeoutMs,
		fetchMs: 2 * bootTimeoutMs,
		installMs: 2 * bootTimeoutMs,
		rebootMs: 5 * bootTimeoutMs,
		confirmMs,
		graceMs: bootTimeoutMs,
	},
	retry: {attemptsMax: 1},
});
