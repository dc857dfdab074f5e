import type {HashTree} from '#appliance/contract/fleet/release-schema.ts';
import {
	type BlockList,
	blockCount,
	blockRange,
	digestAt,
	digestOfBlock,
	lackingBlocks,
} from '#ota/agent/fetch/block-list.ts';
import type {FetchContext} from '#ota/agent/fetch/fetch-context.ts';
import type {RangeSet} from '#ota/agent/fetch/range-set.ts';
import {HashTreeBuilder, treeBlockBytes, treeLength} from '#ota/release/hash-tree.ts';

/** A tree is built in memory: this much for a bundle of 8 GiB. */
const treeBytesMax = 80 * 1024 ** 2;
const readBytes = 256 * treeBlockBytes;

/** What lacks and will follow from the rest: blocks of hash trees, and all but the first of blocks that are alike. */
export const derivableRanges = (list: BlockList, {part}: FetchContext): RangeSet => {
	const lacking = new Set(lackingBlocks(list, part.missing()));
	const inTree = treeBlocks(list);
	const seen = new Set<string>();
	const ranges: [number, number][] = [];
	for (let index = 0; index < blockCount(list); index++) {
		const digest = digestAt(list, index);
		const follows = inTree.has(index) || seen.has(digest);
		if (follows && lacking.has(index)) {
			const [from, to] = blockRange(list, index);
			const last = ranges.at(-1);
			if (last?.[1] === from) {
				last[1] = to;
			} else {
				ranges.push([from, to]);
			}
		} else if (!follows) {
			seen.add(digest);
		}
	}
	return ranges;
};

/** Those that lie in a tree as a whole; what else is in a block that a tree only begins or ends is not known. */
const treeBlocks = (list: BlockList): ReadonlySet<number> => {
	const blocks = new Set<number>();
	for (const tree of list.trees.filter((each) => isSound(each, list))) {
		const end = Math.min(tree.atBytes + treeLength(tree), list.bundleBytes);
		const first = Math.ceil(tree.atBytes / list.blockSizeBytes);
		for (let index = first; (index + 1) * list.blockSizeBytes <= end; index++) {
			blocks.add(index);
		}
	}
	return blocks;
};

const isSound = ({fromBytes, toBytes, ...tree}: HashTree, {bundleBytes}: BlockList): boolean =>
	fromBytes % treeBlockBytes === 0 &&
	toBytes % treeBlockBytes === 0 &&
	fromBytes < toBytes &&
	toBytes <= bundleBytes &&
	treeLength({...tree, fromBytes, toBytes}) <= treeBytesMax;

/**
 * Fills in what follows from what is there. Each block has to agree with the list, so that a tree that was described wrongly,
 * or is over bytes that are wrong, leaves holes and nothing else.
 */
export const deriveBlocks = async (list: BlockList, context: FetchContext): Promise<void> => {
	await copyAlike(list, context);
	for (const tree of list.trees.filter((each) => isSound(each, list))) {
		await deriveTree(tree, list, context);
	}
};

const copyAlike = async (list: BlockList, {part, signal}: FetchContext): Promise<void> => {
	const lacking = new Set(lackingBlocks(list, part.missing()));
	const wanted = new Set([...lacking].map((index) => digestAt(list, index)));
	const there = new Map<string, number>();
	for (let index = 0; index < blockCount(list); index++) {
		if (!lacking.has(index) && wanted.has(digestAt(list, index))) {
			there.set(digestAt(list, index), index);
		}
	}
	for (const index of lacking) {
		signal.throwIfAborted();
		const source = there.get(digestAt(list, index));
		if (source !== undefined) {
			const [from, to] = blockRange(list, source);
			await writeIfRight(index, await part.read(from, to - from), list, part);
		}
	}
};

const deriveTree = async (tree: HashTree, list: BlockList, {part, signal}: FetchContext): Promise<void> => {
	const wanted = lackingBlocks(
		list,
		part.missing(tree.atBytes, Math.min(tree.atBytes + treeLength(tree), list.bundleBytes)),
	);
	const lacking = [...wanted];
	if (lacking.length === 0 || part.missing(tree.fromBytes, tree.toBytes).length > 0) {
		return;
	}
	const builder = new HashTreeBuilder(tree);
	for (let at = tree.fromBytes; at < tree.toBytes; at += readBytes) {
		signal.throwIfAborted();
		builder.add(await part.read(at, Math.min(readBytes, tree.toBytes - at)));
	}
	const bytes = builder.finish();
	for (const index of lacking) {
		const [from, to] = blockRange(list, index);
		if (from >= tree.atBytes) {
			await writeIfRight(index, bytes.subarray(from - tree.atBytes, to - tree.atBytes), list, part);
		}
	}
};

const writeIfRight = async (
	index: number,
	block: Uint8Array,
	list: BlockList,
	part: FetchContext['part'],
): Promise<void> => {
	if (digestOfBlock(list, block) === digestAt(list, index)) {
		part.count('local', block.length);
		await part.write(blockRange(list, index)[0], block);
	}
};
