import {create, createSvg, setAttribute, setText} from '../../page/dom.ts';

const size = 200;
const centre = size / 2;

const line = (x1: number, y1: number, x2: number, y2: number, name: string): SVGLineElement =>
	createSvg('line', {x1, y1, x2, y2, class: name});

const tick = (degrees: number, long: boolean): SVGLineElement => {
	const mark = line(centre, 8, centre, long ? 24 : 17, long ? 'tick-long' : 'tick');
	mark.setAttribute('transform', `rotate(${degrees} ${centre} ${centre})`);
	return mark;
};

const letter = (text: string, x: number, y: number): SVGTextElement => createSvg('text', {x, y, class: 'letter'}, text);

/** A figure with its large number below. */
const dial = (name: string, ...children: readonly SVGElement[]) => {
	const value = create('strong', {class: 'dial-value'});
	const note = create('span', {class: 'dial-note'});
	const drawing = createSvg('svg', {viewBox: `0 0 ${size} ${size}`, class: 'dial', 'aria-hidden': 'true'}, ...children);
	const element = create('figure', {class: 'dial-figure'}, drawing, create('figcaption', {}, name, value, note));
	return {
		element,
		tell: (text: string, detail: string) => {
			setText(value, text);
			setText(note, detail);
		},
	};
};

const turn = (node: Element, degrees: number, x = centre, y = centre): void =>
	setAttribute(node, 'transform', `rotate(${degrees.toFixed(2)} ${x} ${y})`);

export const createAzimuthDial = () => {
	const arrow = createSvg('path', {d: 'M100 48 L118 122 L100 109 L82 122 Z', class: 'arrow'});
	const figure = dial(
		'Azimuth',
		createSvg('circle', {cx: centre, cy: centre, r: 94, class: 'face'}),
		...Array.from({length: 36}, (_, index) => tick(index * 10, index % 9 === 0)),
		letter('N', centre, 44),
		letter('E', 162, 107),
		letter('S', centre, 172),
		letter('W', 38, 107),
		arrow,
		createSvg('circle', {cx: centre, cy: centre, r: 7, class: 'hub'}),
	);
	return {...figure, turnTo: (degrees: number) => turn(arrow, degrees)};
};

/** A dish from its side: the beam rises from the ground at the left. */
export const createElevationDial = () => {
	const beam = createSvg(
		'g',
		{},
		line(30, 168, 190, 168, 'beam'),
		createSvg('path', {d: 'M190 168 l-18 -9 v18 Z', class: 'arrow'}),
	);
	const arc = createSvg('path', {class: 'angle'});
	const figure = dial(
		'Elevation',
		createSvg('path', {d: 'M30 168 V8 A160 160 0 0 1 190 168 Z', class: 'face'}),
		...Array.from({length: 9}, (_, index) => {
			const mark = line(178, 168, 190, 168, index % 3 === 0 ? 'tick-long' : 'tick');
			turn(mark, -10 * (index + 1), 30, 168);
			return mark;
		}),
		arc,
		line(8, 168, 196, 168, 'ground'),
		beam,
		createSvg('circle', {cx: 30, cy: 168, r: 7, class: 'hub'}),
	);
	return {
		...figure,
		turnTo: (degrees: number) => {
			const shown = Math.max(-8, degrees);
			const radians = (shown * Math.PI) / 180;
			turn(beam, -shown, 30, 168);
			setAttribute(
				arc,
				'd',
				`M30 168 H100 A70 70 0 0 ${shown < 0 ? 1 : 0} ${(30 + 70 * Math.cos(radians)).toFixed(1)} ${(168 - 70 * Math.sin(radians)).toFixed(1)} Z`,
			);
		},
	};
};

/** The LNB as seen from behind the dish. */
export const createSkewDial = () => {
	const body = createSvg(
		'g',
		{},
		createSvg('rect', {x: 88, y: 92, width: 24, height: 92, rx: 8, class: 'lnb'}),
		createSvg('circle', {cx: centre, cy: centre, r: 36, class: 'lnb'}),
		line(centre, 72, centre, 128, 'probe'),
		line(72, centre, 128, centre, 'probe'),
	);
	const figure = dial(
		'LNB skew',
		createSvg('circle', {cx: centre, cy: centre, r: 94, class: 'face'}),
		...Array.from({length: 36}, (_, index) => tick(index * 10, index % 9 === 0)),
		line(centre, 30, centre, 186, 'plumb'),
		body,
	);
	return {...figure, turnTo: (degrees: number) => turn(body, degrees)};
};
