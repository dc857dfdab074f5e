export type MapDot = {readonly x: number; readonly y: number; readonly radius: number; readonly text: string};
export type MapLabel = {readonly x: number; readonly y: number; readonly anchor: 'start' | 'end' | 'middle'};

type Box = {readonly left: number; readonly right: number; readonly top: number; readonly bottom: number};

const charPx = 7.2;
const linePx = 15;
const gapPx = 6;

const overlaps = (one: Box, other: Box): boolean =>
	one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;

/** Where each name goes without covering a dot or another name; one that fits nowhere is left to the tooltip. */
export const placeLabels = <Dot extends MapDot>(
	dots: readonly Dot[],
	{width, height}: {readonly width: number; readonly height: number},
): readonly (Dot & {readonly label: MapLabel | undefined})[] => {
	const taken: Box[] = dots.map(({x, y, radius}) => ({
		left: x - radius,
		right: x + radius,
		top: y - radius,
		bottom: y + radius,
	}));
	return dots.map((dot) => {
		const {x, y, radius} = dot;
		const textPx = dot.text.length * charPx;
		const reach = radius + gapPx;
		const choices: readonly MapLabel[] = [
			{x: x + reach, y: y + 4.5, anchor: 'start'},
			{x: x - reach, y: y + 4.5, anchor: 'end'},
			{x, y: y - reach - 1, anchor: 'middle'},
			{x, y: y + reach + 11, anchor: 'middle'},
		];
		for (const label of choices) {
			const left = label.anchor === 'start' ? label.x : label.x - textPx / (label.anchor === 'end' ? 1 : 2);
			const box = {left, right: left + textPx, top: label.y - linePx + 3, bottom: label.y + 4};
			const isInside = box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height;
			if (isInside && !taken.some((other) => overlaps(box, other))) {
				taken.push(box);
				return {...dot, label};
			}
		}
		return {...dot, label: undefined};
	});
};
