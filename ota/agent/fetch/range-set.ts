/** Half-open ranges [from, to), in order, apart from each other. */
export type RangeSet = readonly (readonly [number, number])[];

export const addRange = (ranges: RangeSet, from: number, to: number): RangeSet => {
	if (from >= to) {
		return ranges;
	}
	const before = ranges.filter(([, end]) => end < from);
	const after = ranges.filter(([start]) => start > to);
	const touching = ranges.slice(before.length, ranges.length - after.length);
	const start = Math.min(from, touching[0]?.[0] ?? from);
	const end = Math.max(to, touching.at(-1)?.[1] ?? to);
	return [...before, [start, end], ...after];
};

export const removeRange = (ranges: RangeSet, from: number, to: number): RangeSet =>
	ranges.flatMap(([start, end]): [number, number][] =>
		end <= from || start >= to
			? [[start, end]]
			: ([
					[start, from],
					[to, end],
				].filter(([a = 0, b = 0]) => a < b) as [number, number][]),
	);

/** What of [from, to) is not there. */
export const missingRanges = (ranges: RangeSet, from: number, to: number): RangeSet => {
	const missing: [number, number][] = [];
	let position = from;
	for (const [start, end] of ranges) {
		if (start >= to) {
			break;
		}
		if (start > position) {
			missing.push([position, start]);
		}
		position = Math.max(position, end);
	}
	return position < to ? [...missing, [position, to]] : missing;
};

export const sumRanges = (ranges: RangeSet): number => ranges.reduce((sum, [from, to]) => sum + to - from, 0);
