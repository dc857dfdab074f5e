import {hash} from 'node:crypto';
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
	/** The salt, and room for a block behind it. */
	readonly #salted: Buffer;
	readonly #saltBytes: number;
	readonly #levels: HashTree['levels'];
	readonly #lowest: Buffer;
	#count = 0;

	constructor({salt, levels, fromBytes, toBytes}: Omit<HashTree, 'atBytes'>) {
		const salted = Buffer.from(salt, 'hex');
		this.#saltBytes = salted.length;
		this.#salted = Buffer.concat([salted], salted.length + treeBlockBytes);
		this.#levels = levels;
		this.#lowest = Buffer.alloc(((toBytes - fromBytes) / treeBlockBytes) * digestBytes);
	}

	/** Whole blocks, at most as many as were said to come. */
	add(bytes: Uint8Array): void {
		for (let at = 0; at < bytes.length; at += treeBlockBytes) {
			this.#count += this.#digest(bytes.subarray(at, at + treeBlockBytes), this.#lowest, this.#count);
		}
	}

	finish(): Buffer {
		const lowest = this.#lowest.subarray(0, this.#count);
		if (this.#levels === 'lowest') {
			return lowest;
		}
		const levels: Buffer[] = [];
		for (let digests = lowest; digests.length > digestBytes; ) {
			const level = filled(digests);
			levels.unshift(level);
			digests = Buffer.alloc((level.length / treeBlockBytes) * digestBytes);
			for (let at = 0; at < level.length; at += treeBlockBytes) {
				this.#digest(level.subarray(at, at + treeBlockBytes), digests, (at / treeBlockBytes) * digestBytes);
			}
		}
		return Buffer.concat(levels);
	}

	/** Answers how much was written. */
	#digest(block: Uint8Array, into: Buffer, at: number): number {
		this.#salted.set(block, this.#saltBytes);
		return hash('sha256', this.#salted, 'buffer').copy(into, at);
	}
}

const filled = (bytes: Buffer): Buffer =>
	Buffer.concat([bytes], Math.ceil(bytes.length / treeBlockBytes) * treeBlockBytes);
