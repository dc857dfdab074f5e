/** Text of any origin as it may stand in HTML and SVG. */
export const escapeMarkup = (text: string): string =>
	text.replaceAll(/[&<>"']/gu, (character) => `&#${character.codePointAt(0)};`);

export const palette = ['#7cc7ff', '#63dba6', '#ffb86b', '#b6a4ff', '#ff8f8f', '#ffe28a', '#a4b1c6'] as const;

export const colourOf = (index: number): string => palette[index % palette.length] ?? palette[0];

const round = (value: number): string => value.toFixed(1);

/** Whole steps of 1, 2 or 5 times a power of ten. */
export const ticksOf = (max: number, count = 5): readonly number[] => {
	if (!(max > 0)) {
		return [0];
	}
	const rough = max / count;
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? rough;
	return Array.from({length: Math.floor(max / step) + 1}, (_, index) => index * step);
};

export type Frame = {readonly width: number; readonly height: number; readonly left: number; readonly bottom: number};

/** A picture with a grid; `draw` is in its coordinates. */
export const chart = (options: {
	readonly title: string;
	readonly frame: Frame;
	readonly xTicks: readonly {readonly x: number; readonly label: string}[];
	readonly yTicks: readonly {readonly y: number; readonly label: string}[];
	readonly drawn: string;
}): string => {
	const {title, frame, xTicks, yTicks, drawn} = options;
	const {width, height, left, bottom} = frame;
	const grid = [
		...yTicks.map(
			({y, label}) =>
				`<line x1="${left}" x2="${width}" y1="${round(y)}" y2="${round(y)}" class="grid"/><text x="${left - 6}" y="${round(y + 4)}" class="tick" text-anchor="end">${escapeMarkup(label)}</text>`,
		),
		...xTicks.map(
			({x, label}) =>
				`<text x="${round(x)}" y="${height - bottom + 18}" class="tick" text-anchor="middle">${escapeMarkup(label)}</text>`,
		),
	];
	return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeMarkup(title)}">${grid.join('')}${drawn}</svg>`;
};

export const polyline = (points: readonly (readonly [number, number])[], colour: string): string =>
	`<polyline fill="none" stroke="${colour}" stroke-width="1.6" stroke-linejoin="round" points="${points
		.map(([x, y]) => `${round(x)},${round(y)}`)
		.join(' ')}"/>`;
