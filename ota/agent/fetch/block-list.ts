import {hash} from 'node:crypto';
import type {Bundle} from '#appliance/contract/fleet/release-schema.ts';
import type {FetchContext} from '#ota/agent/fetch/fetch-context.ts';
import type {RangeSet} from '#ota/agent/fetch/range-set.ts';

export type Blocks = NonNullable<Bundle['blocks']>;

/** The digests of a bundle's blocks, in order. */
export type BlockList = Blocks & {readonly digests: Buffer; readonly bundleBytes: number};

export const blockCount = ({bundleBytes, blockSizeBytes}: Omit<BlockList, 'digests'>): number =>
	Math.ceil(bundleBytes / blockSizeBytes);

/** Where a block lies in the bundle; the last may be short. */
export const blockRange = ({bundleBytes, blockSizeBytes}: BlockList, index: number): readonly [number, number] => [
	index * blockSizeBytes,
	Math.min((index + 1) * blockSizeBytes, bundleBytes),
];

export const digestAt = ({digests, digestBytes}: BlockList, index: number): string =>
	digests.toString('latin1', index * digestBytes, (index + 1) * digestBytes);

/** In the shape of `digestAt`. */
export const digestOfBlock = ({digestBytes}: BlockList, bytes: Uint8Array): string =>
	hash('sha256', bytes, 'binary').slice(0, digestBytes);

/** Blocks of which anything lacks, in order. */
export function* lackingBlocks(list: BlockList, missing: RangeSet): Generator<number> {
	let next = 0;
	for (const [from, to] of missing) {
		next = Math.max(next, Math.floor(from / list.blockSizeBytes));
		for (; next * list.blockSizeBytes < to; next++) {
			yield next;
		}
	}
}

/** Forgets the blocks that are not what the list says; answers how many. */
export const discardBadBlocks = async (list: BlockList, {part, signal}: FetchContext): Promise<number> => {
	let bad = 0;
	for (let index = 0; index < blockCount(list); index++) {
		signal.throwIfAborted();
		const [from, to] = blockRange(list, index);
		if (digestOfBlock(list, await part.read(from, to - from)) !== digestAt(list, index)) {
			part.discard(from, to);
			bad += 1;
		}
	}
	return bad;
};
