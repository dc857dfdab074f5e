import {createHash} from 'node:crypto';
import {type FileHandle, open} from 'node:fs/promises';
import {type HashTree, hashTreeSchema} from '#appliance/contract/fleet/release-schema.ts';
import {HashTreeBuilder, treeBlockBytes, treeLength} from '#ota/release/hash-tree.ts';

const readBytes = 256 * treeBlockBytes;
/** A RAUC bundle ends with the length of its signature. */
const lengthBytes = 8;
const signatureBytesMax = 64 * 1024;

/**
 * Finds the hash trees in a RAUC bundle: of the images that carry their own (veritysetup's superblock tells), the indices
 * of those images, and the bundle's. What looks like one counts only if it is, byte for byte, what follows from the data.
 */
export const findTrees = async (
	path: string,
	{signal}: {readonly signal: AbortSignal},
): Promise<readonly HashTree[]> => {
	await using file = await open(path, 'r');
	const {size} = await file.stat();
	const found: HashTree[] = [];
	const keep = async (tree: HashTree | undefined): Promise<void> => {
		if (tree !== undefined && (await isThere(tree, file, {size, signal}))) {
			found.push(tree);
		}
	};
	const superblocks = await findBlocks(file, {size, signal}, (block) => block.subarray(0, 8).equals(magic));
	for (const {at, block} of superblocks) {
		const tree = treeOfSuperblock(block, at);
		await keep(tree);
		if (tree !== undefined && found.includes(tree)) {
			for (const index of await indicesOf(tree, file, {size, signal})) {
				await keep(index);
			}
		}
	}
	await keep(await treeOfBundle(file, size));
	return found;
};

type Bounds = {readonly size: number; readonly signal: AbortSignal};

const magic = Buffer.from('verity\0\0', 'latin1');

/** `struct verity_sb` of cryptsetup (lib/verity/verity.c); all little-endian. */
const treeOfSuperblock = (block: Buffer, at: number): HashTree | undefined => {
	const [version, type, dataBlockBytes, hashBlockBytes] = [8, 12, 64, 68].map((offset) => block.readUInt32LE(offset));
	const algorithm = block.toString('latin1', 32, 64).replace(/\0.*$/su, '');
	const dataBytes = Number(block.readBigUInt64LE(72)) * treeBlockBytes;
	const isKnown = version === 1 && type === 1 && algorithm === 'sha256';
	if (!isKnown || dataBlockBytes !== treeBlockBytes || hashBlockBytes !== treeBlockBytes || dataBytes > at) {
		return undefined;
	}
	const salt = block.toString('hex', 88, 88 + block.readUInt16LE(80));
	return hashTreeSchema.parse({
		...{fromBytes: at - dataBytes, toBytes: at, salt, levels: 'all'},
		atBytes: at + treeBlockBytes,
	});
};

/** An index begins with the digest of the first block of the image, at whose end the image's own tree lies. */
const indicesOf = async (tree: HashTree, file: FileHandle, bounds: Bounds): Promise<readonly HashTree[]> => {
	const {fromBytes, atBytes} = tree;
	const first = createHash('sha256')
		.update(await readAt(file, fromBytes, treeBlockBytes))
		.digest();
	const places = await findBlocks(file, bounds, (block) => block.subarray(0, first.length).equals(first));
	const toBytes = atBytes + treeLength(tree);
	return places.map(({at}) => ({fromBytes, toBytes, salt: '', levels: 'lowest', atBytes: at}));
};

/** Of format `verity`: squashfs, tree, signature (which holds the manifest, and thereby the salt), its length. */
const treeOfBundle = async (file: FileHandle, size: number): Promise<HashTree | undefined> => {
	if (size < lengthBytes) {
		return undefined;
	}
	const signatureBytes = Number((await readAt(file, size - lengthBytes, lengthBytes)).readBigUInt64BE());
	if (signatureBytes > signatureBytesMax || signatureBytes + lengthBytes > size) {
		return undefined;
	}
	const signed = (await readAt(file, size - lengthBytes - signatureBytes, signatureBytes)).toString('latin1');
	const salt = /^verity-salt=([0-9a-f]+)$/mu.exec(signed)?.[1];
	const atBytes = size - lengthBytes - signatureBytes - Number(/^verity-size=(\d{1,15})$/mu.exec(signed)?.[1] ?? size);
	return salt === undefined || atBytes <= 0 || atBytes % treeBlockBytes !== 0
		? undefined
		: {fromBytes: 0, toBytes: atBytes, salt, levels: 'all', atBytes};
};

const isThere = async (tree: HashTree, file: FileHandle, {size, signal}: Bounds): Promise<boolean> => {
	const length = treeLength(tree);
	if (length === 0 || tree.atBytes + length > size || tree.fromBytes >= tree.toBytes) {
		return false;
	}
	const builder = new HashTreeBuilder(tree);
	for (let at = tree.fromBytes; at < tree.toBytes; at += readBytes) {
		signal.throwIfAborted();
		builder.add(await readAt(file, at, Math.min(readBytes, tree.toBytes - at)));
	}
	return builder.finish().equals(await readAt(file, tree.atBytes, length));
};

const findBlocks = async (
	file: FileHandle,
	{size, signal}: Bounds,
	isWanted: (block: Buffer) => boolean,
): Promise<readonly {readonly at: number; readonly block: Buffer}[]> => {
	const found: {at: number; block: Buffer}[] = [];
	for (let from = 0; from < size; from += readBytes) {
		signal.throwIfAborted();
		const bytes = await readAt(file, from, Math.min(readBytes, size - from));
		for (let at = 0; at + treeBlockBytes <= bytes.length; at += treeBlockBytes) {
			const block = bytes.subarray(at, at + treeBlockBytes);
			if (isWanted(block)) {
				found.push({at: from + at, block: Buffer.from(block)});
			}
		}
	}
	return found;
};

const readAt = async (file: FileHandle, at: number, length: number): Promise<Buffer> => {
	const buffer = Buffer.alloc(length);
	const {bytesRead} = await file.read(buffer, 0, length, at);
	return buffer.subarray(0, bytesRead);
};
