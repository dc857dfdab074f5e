import {createHash} from 'node:crypto';
import type {HashTree} from '#appliance/contract/fleet/release-schema.ts';

/** Of data and of hashes, in every tree here: dm-verity's and RAUC's own choice. */
export const treeBlockBytes = 4096;
const digestBytes = 32;

/** How long a tree over so many bytes is. */
export const treeLength = ({fromBytes, toBytes, levels}: Omit<HashTree, 'atBytes' | 'salt'>): number => {
	const blocks = (toBytes - fromBytes) / treeBlockBytes;
	if (levels === 'lowest') {
		return blocks * digestBytes;
	}
	let bytes = 0;
	for (let count = blocks; count > 1; ) {
		count = Math.ceil((count * digestBytes) / treeBlockBytes);
		bytes += count * treeBlockBytes;
	}
	return bytes;
};

/**
 * Builds a hash tree over blocks that are given in order: dm-verity's on-disk format 1 (Linux, admin-guide/device-mapper/verity:
 * salt before the block, levels from the root down, each filled up with zeros to whole blocks).
 */
export class HashTreeBuilder {
	readonly #salt: Buffer;
	readonly #levels: HashTree['levels'];
	readonly #lowest: Buffer[] = [];

	constructor({salt, levels}: Pick<HashTree, 'salt' | 'levels'>) {
		this.#salt = Buffer.from(salt, 'hex');
		this.#levels = levels;
	}

	/** Whole blocks. */
	add(bytes: Uint8Array): void {
		for (let at = 0; at < bytes.length; at += treeBlockBytes) {
			this.#lowest.push(this.#digest(bytes.subarray(at, at + treeBlockBytes)));
		}
	}

	finish(): Buffer {
		if (this.#levels === 'lowest') {
			return Buffer.concat(this.#lowest);
		}
		const levels: Buffer[] = [];
		for (let digests = this.#lowest; digests.length > 1; ) {
			const level = filled(Buffer.concat(digests));
			levels.unshift(level);
			digests = [];
			for (let at = 0; at < level.length; at += treeBlockBytes) {
				digests.push(this.#digest(level.subarray(at, at + treeBlockBytes)));
			}
		}
		return Buffer.concat(levels);
	}

	#digest(block: Uint8Array): Buffer {
		return createHash('sha256').update(this.#salt).update(block).digest();
	}
}

const filled = (bytes: Buffer): Buffer =>
	Buffer.concat([bytes], Math.ceil(bytes.length / treeBlockBytes) * treeBlockBytes);
