import {shareOf} from '#appliance/filter/share-of.ts';
import type {GroupSpec} from '#ota/contract/rollout-api.ts';

export type GroupInterval<Box> = {
	/** Half-open, of the hash of box ids. */
	readonly from: number;
	readonly to: number;
	readonly boxes: readonly Box[];
	/** Where each of them hashes to, and where it stands among all boxes that were given. */
	readonly places: readonly {readonly share: number; readonly index: number}[];
};

/**
 * Groups as adjoining intervals of the hash of box ids: exact in number for the boxes that are known now, and still an
 * answer for every box that comes later, or that only the carousel reaches. Percentages are of all boxes, rounded up:
 * a first group of 1 % is never empty. The last group reaches to the end, unless it is a share of its own.
 */
export const divideIntoGroups = <Box extends {readonly id: string}>(
	boxes: readonly Box[],
	{groups, salt}: {readonly groups: readonly Pick<GroupSpec, 'size'>[]; readonly salt: string},
): readonly GroupInterval<Box>[] => {
	const placed = placeBoxes(boxes, salt);
	const intervals: GroupInterval<Box>[] = [];
	let begin = 0;
	let from = 0;
	for (const [index, {size}] of groups.entries()) {
		const isLast = index === groups.length - 1;
		const start = size.kind === 'share' ? Math.max(from, size.from) : from;
		const first =
			size.kind === 'share' ? placed.findIndex(({share}, place) => place >= begin && share >= start) : begin;
		begin = first === -1 ? placed.length : first;
		const {end, to} =
			isLast && size.kind !== 'share' ? {end: placed.length, to: 1} : endOf(size, {placed, begin, start});
		const members = placed.slice(begin, end);
		intervals.push({from: start, to, boxes: members.map(({box}) => box), places: members});
		begin = end;
		from = to;
	}
	return intervals;
};

/** In the order of their shares. Numbers are sorted, and not objects: a fleet is a hundred thousand of them. */
const placeBoxes = <Box extends {readonly id: string}>(
	boxes: readonly Box[],
	salt: string,
): readonly {readonly box: Box; readonly index: number; readonly share: number}[] => {
	const shares = Float64Array.from(boxes, ({id}) => shareOf(salt, id));
	const order = Uint32Array.from(shares.keys()).sort((a, b) => (shares[a] ?? 0) - (shares[b] ?? 0) || a - b);
	return Array.from(order, (index) => ({box: boxes[index] as Box, index, share: shares[index] ?? 0}));
};

const endOf = (
	size: GroupSpec['size'],
	{
		placed,
		begin,
		start,
	}: {readonly placed: readonly {readonly share: number}[]; readonly begin: number; readonly start: number},
): {readonly end: number; readonly to: number} => {
	if (size.kind === 'share') {
		const to = Math.max(start, size.to);
		const after = placed.findIndex(({share}, place) => place >= begin && share >= to);
		return {end: after === -1 ? placed.length : after, to};
	}
	if (size.kind === 'percent' && placed.length === 0) {
		return {end: 0, to: Math.min(1, start + size.percent / 100)};
	}
	const count = size.kind === 'count' ? size.count : Math.ceil((size.percent * placed.length) / 100 - 1e-9);
	const end = Math.min(placed.length, begin + count);
	// The border is the place of the first box of the next group.
	return {end, to: placed[end]?.share ?? 1};
};
