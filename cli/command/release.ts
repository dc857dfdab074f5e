import {mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {type Command, InvalidArgumentError} from 'commander';
import {boxKindSchema} from '#appliance/contract/box-schema.ts';
import {
	type ReleaseManifest,
	releaseManifestSchema,
	releaseVersionSchema,
} from '#appliance/contract/fleet/release-schema.ts';
import {createProgressBar} from '#cli/catalogue/progress-bar.ts';
import {pushFile} from '#cli/catalogue/push-file.ts';
import {stopSignal} from '#cli/stop-signal.ts';
import {checkArtifacts} from '#ota/release/check-artifacts.ts';
import {
	artifactPath,
	type BundleSource,
	createRelease,
	readReleaseDirectory,
	signatureName,
} from '#ota/release/create-release.ts';
import {packTree} from '#ota/release/pack-tree.ts';
import {publishRelease} from '#ota/release/publish-release.ts';
import {releaseError} from '#ota/release/release-error.ts';
import {createReleaseKey, writeReleaseKey} from '#ota/release/release-key.ts';
import {signRelease} from '#ota/release/sign-release.ts';
import {verifySignedRelease} from '#ota/release/verify-release.ts';

/** Where a token is looked for, so that it need not stand in the list of processes. */
const tokenVariable = 'STREAMVERSE_TOKEN';

export const registerReleaseCommand = (program: Command): void => {
	const release = program.command('release').summary('make, sign, verify and publish releases');
	release
		.command('create-key')
		.summary('make a release CA and a key that signs, for a laptop or a lab')
		.argument('<directory>', 'gets ca.pem, release.pem and their keys')
		.option('--name <name>', 'of the fleet or company', 'StreamVerse')
		.action(async (directory: string, {name}: {readonly name: string}) => {
			await writeReleaseKey(directory, await createReleaseKey({name}));
			process.stdout.write(`${join(directory, 'ca.pem')} is what boxes and servers trust; keep ca-key.pem offline\n`);
		});
	release
		.command('create')
		.summary('make a release from bundles or folders')
		.argument('<directory>', 'where the release is put')
		.requiredOption('--release <version>', 'semantic version, for example 2.4.0')
		.requiredOption('--bundle <kind:hardware:path...>', 'a .raucb, a .tar, or a folder that becomes one', addBundle, [])
		.option('--minimum <version>', 'the oldest release that it may follow')
		.option('--notes <text>', 'what is new', '')
		.addHelpText(
			'after',
			'\nExample:\n  $ ./streamverse release create ./r --release 2.4.0 --bundle stb:lab:./build/stb',
		)
		.action(createFromBundles);
	release
		.command('sign')
		.summary('sign a release')
		.argument('<directory>', 'of the release')
		.requiredOption('--key <directory>', 'with release.pem and release-key.pem')
		.action(sign);
	release
		.command('verify')
		.summary('check the signature and every file of a release')
		.argument('<directory>', 'of the release')
		.requiredOption('--ca <file>', 'certificates of trusted release CAs')
		.action(verify);
	release
		.command('publish')
		.summary('send a signed release to a fleet, to a headend, or to both')
		.argument('<directory>', 'of the release')
		.option('--fleet <url>', `the fleet server; its token is taken from ${tokenVariable}`)
		.option('--fleet-ca <file>', 'certificate that the fleet server is trusted by')
		.option('--headend <url>', 'the headend whose carousel is to carry the bundles')
		.action(publish);
};

type BundleOption = {readonly kind: string; readonly compatible: string; readonly path: string};

const addBundle = (text: string, bundles: readonly BundleOption[]): readonly BundleOption[] => {
	const match = /^([a-z-]+):([^:]+):(.+)$/u.exec(text);
	if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) {
		throw new InvalidArgumentError('It must be <kind>:<hardware>:<path>, for example stb:lab:./stb.raucb.');
	}
	return [...bundles, {kind: match[1], compatible: match[2], path: match[3]}];
};

const createFromBundles = async (
	directory: string,
	options: {
		readonly release: string;
		readonly bundle: readonly BundleOption[];
		readonly minimum?: string;
		readonly notes: string;
	},
): Promise<void> => {
	const signal = stopSignal();
	const scratch = await mkdtemp(join(tmpdir(), 'streamverse-release-'));
	try {
		const bundles: BundleSource[] = [];
		for (const [index, {kind, compatible, path}] of options.bundle.entries()) {
			bundles.push({
				...(await asFile(path, {bundlePath: join(scratch, `${index}.tar`), signal})),
				kind: boxKindSchema.parse(kind),
				compatible,
				...(options.minimum === undefined ? {} : {minimumRelease: releaseVersionSchema.parse(options.minimum)}),
			});
		}
		const {manifest} = await createRelease({
			directory,
			release: releaseVersionSchema.parse(options.release),
			notes: options.notes,
			bundles,
			signal,
		});
		printBundles(manifest);
	} finally {
		await rm(scratch, {recursive: true, force: true});
	}
};

/** A folder becomes a tar; a file is what its name says. */
const asFile = async (
	path: string,
	{bundlePath, signal}: {readonly bundlePath: string; readonly signal: AbortSignal},
): Promise<Pick<BundleSource, 'path' | 'format'>> => {
	if (!(await stat(path)).isDirectory()) {
		return {path, format: path.endsWith('.raucb') ? 'rauc' : 'directory'};
	}
	const bar = createProgressBar(basename(path));
	await packTree(path, {bundlePath, signal, onProgress: bar.update});
	bar.end('packed');
	return {path: bundlePath, format: 'directory'};
};

const sign = async (directory: string, {key}: {readonly key: string}): Promise<void> => {
	const {manifest} = await readReleaseDirectory(directory);
	const signature = await signRelease({
		manifest,
		certificatePem: await readFile(join(key, 'release.pem'), 'utf8'),
		keyPem: await readFile(join(key, 'release-key.pem'), 'utf8'),
	});
	await writeFile(join(directory, signatureName), signature);
	process.stdout.write(`signed ${join(directory, signatureName)}\n`);
};

const verify = async (directory: string, {ca}: {readonly ca: string}): Promise<void> => {
	const signed = await readSigned(directory);
	const {manifest, signer, signedAtMs} = verifySignedRelease({...signed, releaseCaPem: await readFile(ca, 'utf8')});
	await checkArtifacts(directory, manifest, {signal: stopSignal()});
	printBundles(manifest);
	process.stdout.write(`good: signed by ${signer} at ${new Date(signedAtMs).toISOString()}\n`);
};

const publish = async (
	directory: string,
	options: {readonly fleet?: string; readonly fleetCa?: string; readonly headend?: string},
): Promise<void> => {
	const {fleet: url, fleetCa, headend} = options;
	const signed = await readSigned(directory);
	const signal = stopSignal();
	if (url === undefined && headend === undefined) {
		throw releaseError('OTA_RELEASE_PUBLISH_FAILED', {
			message: 'Say where to: --fleet <url>, --headend <url>, or both.',
		});
	}
	// The headend first: once the fleet knows of it, boxes are told to look for it in the carousel.
	if (headend !== undefined) {
		await publishToHeadend(directory, {headend, manifest: signed.manifest, signal});
	}
	if (url !== undefined) {
		const token = process.env[tokenVariable] ?? '';
		const caPem = fleetCa === undefined ? undefined : await readFile(fleetCa, 'utf8');
		const bars = new Map<string, ReturnType<typeof createProgressBar>>();
		const release = await publishRelease({
			...signed,
			fleet: {url, token, ...(caPem === undefined ? {} : {caPem})},
			directory,
			signal,
			onProgress: (sha256, sentBytes, totalBytes) => {
				const bar = bars.get(sha256) ?? createProgressBar(sha256.slice(0, 12));
				bars.set(sha256, bar);
				bar.update(sentBytes, totalBytes);
			},
		});
		for (const bar of bars.values()) {
			bar.end('sent');
		}
		process.stdout.write(`${release.release} is ${release.state} at ${url}\n`);
	}
};

/** Each bundle becomes the object `release/<sha256>`; its orders come from the fleet, when a rollout begins. */
const publishToHeadend = async (
	directory: string,
	options: {readonly headend: string; readonly manifest: Buffer; readonly signal: AbortSignal},
): Promise<void> => {
	const manifest = releaseManifestSchema.parse(JSON.parse(options.manifest.toString('utf8')));
	for (const {sha256, kind} of manifest.bundles) {
		const bar = createProgressBar(`${kind} ${sha256.slice(0, 12)}`);
		const answer = await pushFile({
			filePath: artifactPath(directory, sha256),
			url: `${options.headend.replace(/\/+$/u, '')}/catalogue/release/${sha256}`,
			headers: {'Content-Type': 'application/octet-stream', 'Streamverse-Priority': 'low'},
			signal: options.signal,
			onProgress: bar.update,
		});
		bar.end(answer.plan?.fits === false ? `does not fit into the carousel: ${answer.plan.reason ?? ''}` : 'sent');
	}
};

const readSigned = async (directory: string): Promise<{readonly manifest: Buffer; readonly signature: Buffer}> => {
	const {manifest, signature} = await readReleaseDirectory(directory);
	if (signature === undefined) {
		throw releaseError('OTA_RELEASE_SIGNATURE_INVALID', {
			message: `The release is not signed: ./streamverse release sign ${directory} --key <directory>`,
		});
	}
	return {manifest, signature};
};

const printBundles = ({release, bundles}: ReleaseManifest): void => {
	for (const {kind, compatible, format, sizeBytes, sha256} of bundles) {
		process.stdout.write(`${release} ${kind} ${compatible} ${format} ${sizeBytes} bytes ${sha256}\n`);
	}
};
