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

/** What of `ranges` is not in `others`. */
export const subtractRanges = (ranges: RangeSet, others: RangeSet): RangeSet => {
	const left: [number, number][] = [];
	let next = 0;
	for (const [from, to] of ranges) {
		let position = from;
		while ((others[next]?.[1] ?? to) <= from) {
			next += 1;
		}
		for (let index = next; position < to; index++) {
			const [start, end] = others[index] ?? [to, to];
			if (start >= to) {
				left.push([position, to]);
				break;
			}
			if (start > position) {
				left.push([position, start]);
			}
			position = Math.max(position, end);
		}
	}
	return left;
};

export const sumRanges = (ranges: RangeSet): number => ranges.reduce((sum, [from, to]) => sum + to - from, 0);
