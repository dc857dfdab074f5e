import type {FluteRange} from '#native/flute/receiver-event.ts';

export type RangePlan =
	| {readonly kind: 'nothing'}
	/** So much is missing that one plain GET costs less than the requests for the holes. */
	| {readonly kind: 'whole'}
	| {readonly kind: 'ranges'; readonly ranges: readonly FluteRange[]};

export type RangePlanOptions = {
	/** The object's holes, in any order. */
	readonly missing: readonly FluteRange[];
	readonly sizeBytes: number;
	/** Two holes with fewer good bytes between them than this become one: a request costs about that much. */
	readonly gapBytes: number;
	/** A longer range is split, so that a broken connection loses little and several servers can share the work. */
	readonly requestBytesMax: number;
	/** Share of the object from which it is fetched whole, 0..1. */
	readonly refetchRatio: number;
};

/** Plans the requests that fill an object's holes. Pure; what is out of the object is ignored. */
export const planRanges = (options: RangePlanOptions): RangePlan => {
	const {sizeBytes, gapBytes, requestBytesMax, refetchRatio} = options;
	const holes = normaliseRanges(options.missing, sizeBytes);
	const missingBytes = holes.reduce((sum, hole) => sum + hole.length, 0);
	if (missingBytes === 0) {
		return {kind: 'nothing'};
	}
	if (missingBytes > sizeBytes * refetchRatio && sizeBytes <= requestBytesMax) {
		return {kind: 'whole'};
	}
	const merged = mergeRanges(holes, gapBytes);
	return {kind: 'ranges', ranges: merged.flatMap((range) => splitRange(range, requestBytesMax))};
};

/** Sorted, clipped to the object, without overlap and without empty ranges. */
export const normaliseRanges = (ranges: readonly FluteRange[], sizeBytes: number): readonly FluteRange[] => {
	const clipped = ranges
		.map(({offset, length}) => {
			const start = Math.max(0, offset);
			return {offset: start, length: Math.min(sizeBytes, offset + length) - start};
		})
		.filter(({length}) => length > 0)
		.toSorted((a, b) => a.offset - b.offset);
	return mergeRanges(clipped, 0);
};

/** Merges sorted ranges that lie no further apart than `gapBytes`. */
export const mergeRanges = (sorted: readonly FluteRange[], gapBytes: number): readonly FluteRange[] => {
	const merged: FluteRange[] = [];
	for (const range of sorted) {
		const last = merged.at(-1);
		if (last !== undefined && range.offset <= last.offset + last.length + gapBytes) {
			const end = Math.max(last.offset + last.length, range.offset + range.length);
			merged[merged.length - 1] = {offset: last.offset, length: end - last.offset};
		} else {
			merged.push(range);
		}
	}
	return merged;
};

const splitRange = ({offset, length}: FluteRange, lengthMax: number): readonly FluteRange[] =>
	Array.from({length: Math.ceil(length / lengthMax)}, (_, index) => ({
		offset: offset + index * lengthMax,
		length: Math.min(lengthMax, length - index * lengthMax),
	}));

/** What of `wanted` is missing, clipped to it. */
export const intersectRange = (missing: readonly FluteRange[], wanted: FluteRange): readonly FluteRange[] =>
	missing
		.map(({offset, length}) => {
			const start = Math.max(offset, wanted.offset);
			return {offset: start, length: Math.min(offset + length, wanted.offset + wanted.length) - start};
		})
		.filter(({length}) => length > 0);
