import {createHash} from 'node:crypto';
import {open, readdir, rename, rm, stat, statfs} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {type Bundle, manifestBytesMax, signatureBytesMax} from '#appliance/contract/fleet/release-schema.ts';
import {CodedError, errorMessage, hasCode} from '#appliance/error/coded-error.ts';
import {claimBytesMax} from '#appliance/identity/claim-schema.ts';
import {readSmall} from '#appliance/store/read-small.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import {giveToOwner, putIntoState, stateFolder} from '#image/stick/state-files.ts';
import {type BroughtEnd, isWorthAnother, lastEnd} from '#ota/member/brought-ends.ts';
import {broughtBundleName, broughtSignatureName, removeRelease} from '#ota/member/brought-release.ts';
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
/** Files of a length that fits which are read before the stick is given up: a boot waits for them. */
const candidatesMax = 4;
const partialName = 'incoming.part';

export type TakeReleaseOptions = {
	readonly kind: BoxKind;
	/** What bundles say that are for this hardware. */
	readonly compatible: string;
	readonly stateDirectory: string;
	/** Where a claim is brought. */
	readonly claimFile: string;
	readonly signal: AbortSignal;
};

/**
 * Carries a release and the bundle of it that is for this box into the box's state: `manifest.json`, `manifest.cms` and a
 * `.raucb` of any name. Nothing is kept that the release key has not signed, byte for byte: a copy on a stick is often cut
 * off or damaged, and whoever stands there with it can only mend it as long as the release does not count as brought. It
 * does from when its manifest lies in the state, which comes last, and until its order has ended.
 * @throws CodedError STICK_… | OTA_RELEASE_…
 */
export const takeRelease = async (folder: string, options: TakeReleaseOptions): Promise<'none' | 'taken'> => {
	const {kind, compatible, stateDirectory} = options;
	const manifest = await readSmall(path.join(folder, manifestName), manifestBytesMax);
	const names = (await readdir(folder)).slice(0, namesMax).filter((name) => /\.raucb$/iu.test(name));
	if (manifest === undefined) {
		if (names.length > 0) {
			throw refusal('STICK_RELEASE_INCOMPLETE', `There is ${names[0]}, and no ${manifestName} beside it.`);
		}
		return 'none';
	}
	const directory = await stateFolder(stateDirectory);
	const underWay = await readSmall(path.join(directory, manifestName), manifestBytesMax).catch(() => undefined);
	if (underWay?.equals(manifest) === true) {
		return 'none';
	}
	const last = await lastEnd(directory, manifest);
	if (last !== undefined && !isWorthAnother(last)) {
		throw refusal('STICK_RELEASE_ENDED', endedMessage(last));
	}
	const signature = await readSmall(path.join(folder, signatureName), signatureBytesMax);
	if (signature === undefined) {
		throw refusal('STICK_RELEASE_INCOMPLETE', `There is a ${manifestName}, and no ${signatureName} beside it.`);
	}
	const {bundles} = verifyRelease({manifest, signature, releaseCaPem: await releaseCaOf(options)});
	const fitting = bundles.filter((bundle) => bundle.kind === kind && bundle.compatible === compatible);
	const partial = path.join(directory, partialName);
	try {
		const {sha256} = await copyBundle(folder, {names, bundles: fitting, partial, signal: options.signal});
		await removeRelease(directory, {except: [partialName]});
		const target = path.join(directory, broughtBundleName(sha256));
		await rename(partial, target);
		await giveToOwner(stateDirectory, target);
	} finally {
		await rm(partial, {recursive: true, force: true});
	}
	await putIntoState(stateDirectory, broughtSignatureName, signature.toString('base64'));
	await putIntoState(stateDirectory, manifestName, manifest.toString('utf8'));
	return 'taken';
};

const endedMessage = ({phase, reason}: BroughtEnd): string =>
	phase === 'confirmed'
		? 'This release was installed from a stick before, and is so only once.'
		: `This release came on a stick before, ended as ${phase}, and is not tried again${reason === undefined ? '' : `: ${reason.message} (${reason.code})`}`;

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

/**
 * Copies the bundle to `partial`. A file on a stick may have any name, so it is known by its length, and then by its bytes:
 * when they are others, or cannot be read, another file may still be it.
 */
const copyBundle = async (
	folder: string,
	{
		names,
		bundles,
		partial,
		signal,
	}: {
		readonly names: readonly string[];
		readonly bundles: readonly Bundle[];
		readonly partial: string;
		readonly signal: AbortSignal;
	},
): Promise<Bundle> => {
	if (bundles.length === 0) {
		throw refusal('STICK_RELEASE_OTHER', 'The release has no bundle for a box of this kind and hardware.');
	}
	const unfit: string[] = [];
	for (const name of names) {
		const file = path.join(folder, name);
		const facts = await stat(file);
		const candidates = facts.isFile() ? bundles.filter(({sizeBytes}) => sizeBytes === facts.size) : [];
		if (candidates.length === 0) {
			continue;
		}
		if (unfit.length === candidatesMax) {
			break;
		}
		const sizeBytes = facts.size;
		await requireRoom(path.dirname(partial), sizeBytes);
		try {
			const digest = await copyFile(file, partial, {sizeBytes, signal});
			const bundle = candidates.find(({sha256}) => sha256 === digest);
			if (bundle !== undefined) {
				return bundle;
			}
			unfit.push(`${name} has other bytes than the release key signed.`);
		} catch (error) {
			signal.throwIfAborted();
			if (hasCode(error, 'ENOSPC', 'EDQUOT')) {
				throw refusal('STICK_NO_ROOM', `The disk was full before ${name} was copied.`);
			}
			unfit.push(`${name} cannot be copied: ${errorMessage(error)}.`);
		}
	}
	throw refusal(
		'STICK_RELEASE_INCOMPLETE',
		unfit.length === 0
			? 'No .raucb beside the manifest is as long as the bundle for this box.'
			: `${unfit.join(' ')} Copy the bundle to the stick again, or take another stick.`,
	);
};

const requireRoom = async (directory: string, sizeBytes: number): Promise<void> => {
	const {bavail, bsize} = await statfs(directory);
	if (sizeBytes > bundleBytesMax || sizeBytes * copies + reserveBytes > bavail * bsize) {
		throw refusal('STICK_NO_ROOM', `The bundle has ${sizeBytes} bytes, and ${bavail * bsize} are free.`);
	}
};

/** Answers the SHA-256 of what was copied. */
const copyFile = async (
	file: string,
	target: string,
	{sizeBytes, signal}: {readonly sizeBytes: number; readonly signal: AbortSignal},
): Promise<string> => {
	await rm(target, {recursive: true, force: true});
	await using source = await open(file);
	// Exclusively: what somebody has put there is not written through.
	await using copy = await open(target, 'wx', 0o600);
	const hash = createHash('sha256');
	const buffer = Buffer.allocUnsafe(chunkBytes);
	for (let position = 0; position < sizeBytes; ) {
		signal.throwIfAborted();
		const {bytesRead} = await source.read(buffer, 0, Math.min(chunkBytes, sizeBytes - position), position);
		if (bytesRead === 0) {
			break;
		}
		hash.update(buffer.subarray(0, bytesRead));
		await copy.writeFile(buffer.subarray(0, bytesRead));
		position += bytesRead;
	}
	await copy.sync();
	return hash.digest('hex');
};

const refusal = (code: ImageErrorCode, message: string): CodedError<ImageErrorCode> => new CodedError(code, {message});
