import {createHash} from 'node:crypto';
import {open, readdir, rename, rm, stat, statfs} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {type Bundle, manifestBytesMax, signatureBytesMax} from '#appliance/contract/fleet/release-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import {claimBytesMax} from '#appliance/identity/claim-schema.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import {giveToOwner, putIntoState, readSmall, stateFolder} from '#image/stick/state-files.ts';
import {broughtBundleName, broughtDoneName, broughtSignatureName} from '#ota/member/brought-release.ts';
import {manifestName, signatureName} from '#ota/release/create-release.ts';
import {verifyRelease} from '#ota/release/verify-release.ts';

/** No set-top's bundle is near it; what claims to be is not carried in. */
const bundleBytesMax = 4 * 1024 ** 3;
/** What stays free for the box itself, and the agent's own copy besides. */
const reserveBytes = 128 * 1024 ** 2;
const copies = 2;
const chunkBytes = 4 * 1024 ** 2;
/** Names on a stick that are looked at. */
const namesMax = 1000;
const doneBytesMax = 256;

export type TakeReleaseOptions = {
	readonly kind: BoxKind;
	readonly stateDirectory: string;
	/** Where a claim is brought. */
	readonly claimFile: string;
	readonly signal: AbortSignal;
};

/**
 * Carries a release and the bundle of it that is for this kind into the box's state: `manifest.json`, `manifest.cms` and a
 * `.raucb` of any name. Nothing is copied that the release key has not signed; the bundle's digest is the agent's to
 * check, when it takes it from here as it would take it from the fleet.
 * @throws CodedError STICK_… | OTA_RELEASE_…
 */
export const takeRelease = async (folder: string, options: TakeReleaseOptions): Promise<'none' | 'taken'> => {
	const {kind, stateDirectory} = options;
	const manifest = await readSmall(path.join(folder, manifestName), manifestBytesMax);
	const names = (await readdir(folder)).slice(0, namesMax).filter((name) => /\.raucb$/iu.test(name));
	if (manifest === undefined) {
		if (names.length > 0) {
			throw refusal('STICK_RELEASE_INCOMPLETE', `There is ${names[0]}, and no ${manifestName} beside it.`);
		}
		return 'none';
	}
	const digest = createHash('sha256').update(manifest).digest('hex');
	if (String(await readSmall(path.join(stateDirectory, 'stick', broughtDoneName), doneBytesMax)).trim() === digest) {
		return 'none';
	}
	const signature = await readSmall(path.join(folder, signatureName), signatureBytesMax);
	if (signature === undefined) {
		throw refusal('STICK_RELEASE_INCOMPLETE', `There is a ${manifestName}, and no ${signatureName} beside it.`);
	}
	const {bundles} = verifyRelease({manifest, signature, releaseCaPem: await releaseCaOf(options)});
	const found = await findBundle(folder, {names, bundles: bundles.filter((bundle) => bundle.kind === kind)});
	const directory = await stateFolder(stateDirectory);
	await requireRoom(directory, found.bundle);
	for (const name of await readdir(directory)) {
		await rm(path.join(directory, name), {recursive: true, force: true});
	}
	await copyBundle(found, directory, options);
	await putIntoState(stateDirectory, broughtSignatureName, signature.toString('base64'));
	await putIntoState(stateDirectory, manifestName, manifest.toString('utf8'));
	await putIntoState(stateDirectory, broughtDoneName, `${digest}\n`);
	return 'taken';
};

const claimSchema = z.looseObject({releaseCaPem: z.string()});

/** Whom the box's fleet trusts with releases: as it has joined, or as its claim says if it has not. */
const releaseCaOf = async ({stateDirectory, claimFile}: TakeReleaseOptions): Promise<string> => {
	for (const file of [path.join(stateDirectory, 'fleet/claim.json'), claimFile]) {
		const claim = await readSmall(file, claimBytesMax);
		if (claim !== undefined) {
			return claimSchema.parse(JSON.parse(claim.toString('utf8'))).releaseCaPem;
		}
	}
	throw refusal('STICK_BOX_UNCLAIMED', 'This box has no claim yet, and so nobody whose releases it would take.');
};

type FoundBundle = {readonly file: string; readonly bundle: Bundle};

/** By its length: a file on a stick may have any name. Which of several is right, its digest says in the end. */
const findBundle = async (
	folder: string,
	{names, bundles}: {readonly names: readonly string[]; readonly bundles: readonly Bundle[]},
): Promise<FoundBundle> => {
	if (bundles.length === 0) {
		throw refusal('STICK_RELEASE_OTHER', 'The release has no bundle for a box of this kind.');
	}
	for (const name of names) {
		const file = path.join(folder, name);
		const facts = await stat(file);
		const bundle = facts.isFile() ? bundles.find(({sizeBytes}) => sizeBytes === facts.size) : undefined;
		if (bundle !== undefined) {
			return {file, bundle};
		}
	}
	throw refusal('STICK_RELEASE_INCOMPLETE', 'No .raucb beside the manifest is as long as the bundle for this box.');
};

const requireRoom = async (directory: string, {sizeBytes}: Bundle): Promise<void> => {
	const {bavail, bsize} = await statfs(directory);
	if (sizeBytes > bundleBytesMax || sizeBytes * copies + reserveBytes > bavail * bsize) {
		throw refusal('STICK_NO_ROOM', `The bundle has ${sizeBytes} bytes, and ${bavail * bsize} are free.`);
	}
};

const copyBundle = async (
	{file, bundle}: FoundBundle,
	directory: string,
	{stateDirectory, signal}: TakeReleaseOptions,
): Promise<void> => {
	const target = path.join(directory, broughtBundleName(bundle.sha256));
	const partial = `${target}.part`;
	{
		await using source = await open(file);
		// Exclusively: what somebody has put there is not written through.
		await using copy = await open(partial, 'wx', 0o600);
		const buffer = Buffer.allocUnsafe(chunkBytes);
		for (let position = 0; position < bundle.sizeBytes; ) {
			signal.throwIfAborted();
			const {bytesRead} = await source.read(buffer, 0, Math.min(chunkBytes, bundle.sizeBytes - position), position);
			if (bytesRead === 0) {
				throw refusal('STICK_RELEASE_INCOMPLETE', 'The stick ends before its bundle does.');
			}
			await copy.writeFile(buffer.subarray(0, bytesRead));
			position += bytesRead;
		}
		await copy.sync();
	}
	await rename(partial, target);
	await giveToOwner(stateDirectory, target);
};

const refusal = (code: ImageErrorCode, message: string): CodedError<ImageErrorCode> => new CodedError(code, {message});
