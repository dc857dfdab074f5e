import {createSvg, setAttribute} from './dom.ts';

const width = 240;
const height = 48;

export type Sparkline = {readonly element: SVGSVGElement; readonly push: (value: number) => void};

/** The last values as a line over its own shade, scaled to the largest of them and `scaleMin`. */
export const createSparkline = (options: {
	readonly label: string;
	readonly points?: number;
	readonly scaleMin?: number;
}): Sparkline => {
	const {label, points = 120, scaleMin = 1} = options;
	const values: number[] = [];
	const area = createSvg('path', {class: 'spark-area'});
	const line = createSvg('path', {class: 'spark-line'});
	const element = createSvg(
		'svg',
		{
			viewBox: `0 0 ${width} ${height}`,
			preserveAspectRatio: 'none',
			class: 'sparkline',
			role: 'img',
			'aria-label': label,
		},
		area,
		line,
	);
	return {
		element,
		push: (value) => {
			values.push(value);
			if (values.length > points) {
				values.shift();
			}
			const top = Math.max(scaleMin, ...values) * 1.1;
			const step = width / (points - 1);
			const startX = width - (values.length - 1) * step;
			const path = values
				.map((entry, index) => `${(startX + index * step).toFixed(1)},${(height - (entry / top) * height).toFixed(1)}`)
				.join('L');
			setAttribute(line, 'd', `M${path}`);
			setAttribute(area, 'd', `M${startX.toFixed(1)},${height}L${path}L${width},${height}Z`);
		},
	};
};
