import {execFileSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdir, open, readFile, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {testKeys, writeBundle} from '#test/helper/fault-image.ts';

const blockBytes = 4096;
const trailerBytes = 8;
const rootBytes = 512 * 1024;
const bootBytes = 128 * 1024;
/** Begins each image, so that it is found again in the bundle, which holds them as they are. */
const marks = {rootfs: 'the root file system of a test', boot: 'the boot image of a test'};

export type SmallBundleOptions = {
	readonly release: string;
	readonly compatible?: string;
	/** By somebody whom no box trusts. */
	readonly stranger?: boolean;
	readonly rootBytes?: number;
};

/** A bundle like any other, whose images are of noise: what a box looks at before it boots them. Answers its path. */
export const smallBundle = async (directory: string, options: SmallBundleOptions): Promise<string> => {
	const {release, compatible, stranger = false} = options;
	const content = join(directory, `content-${release}`);
	await mkdir(content);
	for (const [name, bytes] of Object.entries({rootfs: rootBytes, boot: bootBytes})) {
		await writeFile(
			join(content, `${name}.img`),
			Buffer.concat([Buffer.from(marks[name as 'rootfs']), randomBytes(bytes)]),
		);
	}
	await truncate(join(content, 'rootfs.img'), options.rootBytes ?? rootBytes);
	await truncate(join(content, 'boot.img'), bootBytes);
	const bundlePath = join(directory, `${release}.raucb`);
	await writeBundle(content, {
		...{bundlePath, release, keys: testKeys()},
		...(compatible === undefined ? {} : {compatible}),
		...(stranger ? {signer: makeStranger(directory)} : {}),
	});
	return bundlePath;
};

/** A certificate for signing code that nobody but its maker trusts. */
const makeStranger = (directory: string): {readonly key: string; readonly certificate: string} => {
	const [key, certificate] = [join(directory, 'stranger.key'), join(directory, 'stranger.pem')];
	execFileSync(
		'openssl',
		[
			...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3650', '-subj', '/CN=stranger'],
			...['-addext', 'keyUsage=critical,digitalSignature', '-addext', 'extendedKeyUsage=codeSigning,emailProtection'],
			...['-keyout', key, '-out', certificate],
		],
		{stdio: 'pipe'},
	);
	return {key, certificate};
};

export const regions = [
	'the squashfs head',
	'the root image',
	'the boot image',
	'the hash tree',
	'the signature',
	'the size',
] as const;
export type Region = (typeof regions)[number];

/** Turns one bit of a bundle (squashfs, hash tree, signature, and the signature's size) in the region. */
export const flipBit = async (bundlePath: string, region: Region): Promise<void> => {
	const bytes = await readFile(bundlePath);
	const position = positionOf(bytes, region);
	await using file = await open(bundlePath, 'r+');
	await file.write(Buffer.from([(bytes[position] ?? 0) ^ 0x10]), 0, 1, position);
};

const positionOf = (bytes: Buffer, region: Region): number => {
	const signatureBytes = Number(bytes.readBigUInt64BE(bytes.length - trailerBytes));
	const signatureAt = bytes.length - trailerBytes - signatureBytes;
	// Of its superblock: what it uses, after which the tree begins at the next block.
	const treeAt = Math.ceil(Number(bytes.readBigUInt64LE(40)) / blockBytes) * blockBytes;
	const imageAt = (name: keyof typeof marks): number => {
		const at = bytes.indexOf(marks[name]);
		if (at < 0 || at > treeAt) {
			throw new Error(`the bundle does not hold the image ${name} as it is`);
		}
		return at;
	};
	switch (region) {
		case 'the squashfs head':
			return 33;
		case 'the root image':
			return imageAt('rootfs') + rootBytes / 2;
		case 'the boot image':
			return imageAt('boot') + bootBytes / 2;
		case 'the hash tree':
			return treeAt + 100;
		case 'the signature':
			return signatureAt + Math.floor(signatureBytes / 2);
		case 'the size':
			return bytes.length - 1;
	}
};
