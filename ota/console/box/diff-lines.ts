export type DiffLine = {readonly change: 'same' | 'added' | 'removed'; readonly text: string};

/** Lines of a file after which the difference is told as a whole: the table grows with the square. */
const linesMax = 600;

/** The longest common subsequence of lines: what was taken out and what was put in. */
export const diffLines = (before: string, after: string): readonly DiffLine[] => {
	const one = before.split('\n');
	const other = after.split('\n');
	if (one.length > linesMax || other.length > linesMax) {
		return [
			...one.map((text) => ({change: 'removed', text}) as const),
			...other.map((text) => ({change: 'added', text}) as const),
		];
	}
	const width = other.length + 1;
	const lengths = new Uint16Array((one.length + 1) * width);
	const lengthAt = (row: number, column: number): number => lengths[row * width + column] ?? 0;
	for (let row = one.length - 1; row >= 0; row -= 1) {
		for (let column = other.length - 1; column >= 0; column -= 1) {
			lengths[row * width + column] =
				one[row] === other[column]
					? lengthAt(row + 1, column + 1) + 1
					: Math.max(lengthAt(row + 1, column), lengthAt(row, column + 1));
		}
	}
	const lines: DiffLine[] = [];
	let row = 0;
	let column = 0;
	while (row < one.length || column < other.length) {
		if (row < one.length && column < other.length && one[row] === other[column]) {
			lines.push({change: 'same', text: one[row] ?? ''});
			row += 1;
			column += 1;
		} else if (row < one.length && (column >= other.length || lengthAt(row + 1, column) >= lengthAt(row, column + 1))) {
			lines.push({change: 'removed', text: one[row] ?? ''});
			row += 1;
		} else {
			lines.push({change: 'added', text: other[column] ?? ''});
			column += 1;
		}
	}
	return lines;
};
