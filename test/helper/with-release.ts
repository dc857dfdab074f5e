import {createHash} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {type UpdateOrder, updateOrderSchema} from '#appliance/contract/fleet/order-schema.ts';
import {
	type ReleaseManifest,
	releaseVersionSchema,
	type Sha256,
	sha256Schema,
} from '#appliance/contract/fleet/release-schema.ts';
import {createRelease, readReleaseDirectory, signatureName} from '#ota/release/create-release.ts';
import {createReleaseKey, type ReleaseKey} from '#ota/release/release-key.ts';
import {signRelease} from '#ota/release/sign-release.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

let sharedKey: Promise<ReleaseKey> | undefined;
/** One key for a test process: making one takes longer than most tests. */
export const testReleaseKey = (): Promise<ReleaseKey> => {
	sharedKey ??= createReleaseKey({name: 'Test'});
	return sharedKey;
};

export type TestRelease = {
	readonly directory: string;
	readonly manifest: ReleaseManifest;
	readonly manifestBytes: Buffer;
	readonly signature: Buffer;
	readonly key: ReleaseKey;
	/** Of the only bundle, for set-tops. */
	readonly bundle: Buffer;
	readonly sha256: Sha256;
	/** As an order of a rollout would be. */
	readonly order: UpdateOrder;
};

/** A signed release with one bundle of some bytes, in a directory of its own. */
export const withRelease = async (
	t: ExecutionContext,
	{
		version = '2.0.0',
		sizeBytes = 200_000,
		bytes,
		kind = 'stb',
	}: {
		readonly version?: string;
		readonly sizeBytes?: number;
		/** Of the bundle; default some that no installer takes. */
		readonly bytes?: Buffer;
		readonly kind?: BoxKind;
	} = {},
): Promise<TestRelease> => {
	const root = await withDirectory(t);
	const directory = join(root, 'release');
	const key = await testReleaseKey();
	const bundle =
		bytes ??
		Buffer.from(Array.from({length: sizeBytes}, (_, index) => (index * 31 + version.length + (index >> 8)) % 256));
	const path = join(root, 'stb.tar');
	await writeFile(path, bundle);
	const release = releaseVersionSchema.parse(version);
	const {manifest} = await createRelease({
		directory,
		release,
		notes: 'A release of a test.',
		bundles: [{path, kind, compatible: 'lab', format: 'directory'}],
		signal: AbortSignal.timeout(60_000),
	});
	const {manifest: manifestBytes} = await readReleaseDirectory(directory);
	const signature = await signRelease({
		manifest: manifestBytes,
		certificatePem: key.certificatePem,
		keyPem: key.keyPem,
	});
	await writeFile(join(directory, signatureName), signature);
	const sha256 = sha256Schema.parse(createHash('sha256').update(bundle).digest('hex'));
	const order = updateOrderSchema.parse({
		orderId: 'abcdefghijkl.1',
		release,
		kind,
		manifest: manifestBytes.toString('utf8'),
		signature: signature.toString('base64'),
		sources: [{kind: 'https', url: `https://fleet.test/artifact/${sha256}`}],
		byteBudgetBytes: bundle.length * 2,
		attemptsMax: 3,
		deadlines: {fetchMs: 1000, installMs: 1000, rebootMs: 1000, confirmMs: 1000},
		allowDowngrade: false,
	});
	return {directory, manifest, manifestBytes, signature, key, bundle, sha256, order};
};
