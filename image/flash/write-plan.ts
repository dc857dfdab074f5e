import type {BlockMap, BlockRange} from '#image/flash/block-map.ts';
import type {Partition} from '#image/flash/partition-table.ts';

export const chunkBytes = 4 * 1024 * 1024;
/** So much at the head of a partition that the image leaves empty is zeroed: what a file system is known by. */
const wipedHeadBytes = 1024 * 1024;

/** One write and the reading back of it. */
export type Chunk =
	| {readonly kind: 'zero'; readonly offset: number; readonly length: number}
	| {
			readonly kind: 'data';
			readonly offset: number;
			readonly length: number;
			readonly range: BlockRange;
			/** With this chunk its range is over, and its digest is known. */
			readonly closesRange: boolean;
	  };

/**
 * In which order what is written. The mapped blocks, and few zeros: a hole of the image inside a file system stands for
 * zeros it may count on, and a partition without content must not show what an earlier box left there (its data, its
 * identity). The partition table comes last and is wiped first, so that a disk written in part never boots.
 */
export const planWrites = (map: BlockMap, partitions: readonly Partition[]): readonly Chunk[] => {
	const [first, ...others] = map.ranges;
	const hasTable = first?.firstBlock === 0;
	const head = hasTable ? [first] : [];
	const body = hasTable ? others : map.ranges;
	const tableBytes = Math.min((head[0]?.blockCount ?? 0) * map.blockBytes, wipedHeadBytes);
	return [
		...zeroChunks(0, tableBytes),
		...partitions.flatMap((partition) => wipedExtents(map, partition)).flatMap(([from, to]) => zeroChunks(from, to)),
		...body.flatMap((range) => dataChunks(range, map.blockBytes)),
		...head.flatMap((range) => dataChunks(range, map.blockBytes)),
	];
};

/** Byte extents of a partition, on whole blocks, that the image leaves unmapped and that must hold zeros. */
const wipedExtents = (map: BlockMap, partition: Partition): ReadonlyArray<readonly [number, number]> => {
	const {blockBytes} = map;
	const first = Math.ceil(partition.firstByte / blockBytes);
	const end = Math.floor((partition.firstByte + partition.sizeBytes) / blockBytes);
	const inside = map.ranges.filter(({firstBlock, blockCount}) => firstBlock < end && firstBlock + blockCount > first);
	const headEnd = Math.min(end, first + wipedHeadBytes / blockBytes);
	const extents: (readonly [number, number])[] = [];
	let at = first;
	for (const {firstBlock, blockCount} of inside) {
		if (firstBlock > at) {
			extents.push([at * blockBytes, firstBlock * blockBytes]);
		}
		at = Math.max(at, firstBlock + blockCount);
	}
	if (at < headEnd) {
		extents.push([at * blockBytes, headEnd * blockBytes]);
	}
	return extents;
};

const zeroChunks = (from: number, to: number): readonly Chunk[] =>
	pieces(from, to).map(([offset, length]) => ({kind: 'zero', offset, length}));

const dataChunks = (range: BlockRange, blockBytes: number): readonly Chunk[] => {
	const end = (range.firstBlock + range.blockCount) * blockBytes;
	return pieces(range.firstBlock * blockBytes, end).map(([offset, length]) => ({
		...{kind: 'data', offset, length, range},
		closesRange: offset + length === end,
	}));
};

const pieces = (from: number, to: number): ReadonlyArray<readonly [offset: number, length: number]> =>
	Array.from({length: Math.ceil((to - from) / chunkBytes)}, (_, index) => {
		const offset = from + index * chunkBytes;
		return [offset, Math.min(chunkBytes, to - offset)] as const;
	});
