import {create, createSvg} from '../../appliance/page/dom.ts';

/** FNV-1a: any id gives a picture of its own, the same on every box. */
const hashOf = (text: string): number => {
	let hash = 0x81_1c_9d_c5;
	for (const character of text) {
		hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01_00_01_93) >>> 0;
	}
	return hash;
};

const initialsOf = (name: string): string =>
	name
		.split(/[\s\-_.]+/u)
		.filter((word) => /[\p{L}\p{N}]/u.test(word))
		.slice(0, 2)
		.map((word) => [...word][0]?.toLocaleUpperCase() ?? '')
		.join('');

let gradients = 0;

/** A picture for what brought none: two deep colours, orbits, and initials; drawn here, so it needs no network. */
export const drawArtwork = (id: string, name: string, options: {readonly plain?: boolean} = {}): SVGSVGElement => {
	const hash = hashOf(id);
	// Twelve well-parted hues, so that neighbours on a shelf differ.
	const hue = ((hash >>> 3) % 12) * 30;
	const centreX = 60 + ((hash >>> 9) % 200);
	const centreY = 20 + ((hash >>> 17) % 140);
	gradients += 1;
	const gradientId = `artwork-${gradients}`;
	const stops = [
		createSvg('stop', {offset: '0', 'stop-color': `hsl(${hue} 55% 32%)`}),
		createSvg('stop', {offset: '1', 'stop-color': `hsl(${(hue + 48) % 360} 62% 13%)`}),
	];
	const orbits = [46, 84, 128, 180, 240].map((radius, index) =>
		createSvg('circle', {
			cx: centreX,
			cy: centreY,
			r: radius,
			fill: 'none',
			stroke: '#fff',
			'stroke-opacity': 0.16 - index * 0.025,
			'stroke-width': index === 1 ? 1.6 : 0.8,
		}),
	);
	const angle = ((hash >>> 5) % 628) / 100;
	const satellite = createSvg('circle', {
		cx: centreX + 84 * Math.cos(angle),
		cy: centreY + 84 * Math.sin(angle),
		r: 4,
		fill: '#fff',
		'fill-opacity': 0.85,
	});
	const initials = createSvg('text', {
		x: 22,
		y: 164,
		fill: '#fff',
		'fill-opacity': 0.92,
		'font-size': 44,
		'font-weight': 700,
		'letter-spacing': -1,
	});
	initials.textContent = initialsOf(name);
	return createSvg(
		'svg',
		{viewBox: '0 0 320 180', preserveAspectRatio: 'xMidYMid slice', class: 'artwork', 'aria-hidden': 'true'},
		createSvg('linearGradient', {id: gradientId, x1: '0', y1: '0', x2: '1', y2: '1'}, ...stops),
		createSvg('rect', {width: 320, height: 180, fill: `url(#${gradientId})`}),
		...orbits,
		satellite,
		options.plain === true ? undefined : initials,
	);
};

/**
 * Objects are named under the gateway's host and served by this box under the same path, so a picture's address becomes
 * a path here. Pictures elsewhere are not asked for: the box must look the same without the internet.
 */
const localPathOf = (imageUri: string): string | undefined => {
	const url = URL.parse(imageUri);
	return url?.hostname === 'dvb.gw' ? url.pathname : undefined;
};

/** The title's picture, over the drawn one that shows until it is there and stays when it never comes. */
export const createPicture = (
	title: {readonly id: string; readonly name: string; readonly imageUri?: string | undefined},
	options: {readonly plain?: boolean} = {},
): HTMLElement => {
	const frame = create('div', {class: 'picture'}, drawArtwork(title.id, title.name, options));
	const path = title.imageUri === undefined ? undefined : localPathOf(title.imageUri);
	if (path !== undefined) {
		const image = create('img', {alt: '', decoding: 'async', src: path});
		image.addEventListener('load', () => image.classList.add('is-loaded'));
		image.addEventListener('error', () => image.remove());
		frame.append(image);
	}
	return frame;
};
