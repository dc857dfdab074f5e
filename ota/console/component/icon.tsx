import type {JSX} from 'preact';

/** Strokes on a grid of 24. */
const shapes = {
	overview: 'M3 12h4l2-7 4 14 2-7h6',
	boxes: 'M3 7l9-4 9 4v10l-9 4-9-4zM3 7l9 4 9-4M12 11v10',
	rollout: 'M4 17l5-5 4 4 7-8M15 8h5v5',
	release: 'M12 3v12M7 10l5 5 5-5M4 20h16',
	alert: 'M12 4l9 16H3zM12 10v4M12 17v.5',
	audit: 'M6 3h9l4 4v14H6zM9 12h7M9 16h7M9 8h3',
	account: 'M12 12a4 4 0 100-8 4 4 0 000 8zM4 21c1-5 4-7 8-7s7 2 8 7',
	site: 'M12 21s7-6 7-12a7 7 0 00-14 0c0 6 7 12 7 12zM12 11a2 2 0 100-4 2 2 0 000 4z',
	claim: 'M9 15a5 5 0 114-4l8 0v4h-3v3h-3v-3h-2M7.5 12.5v.1',
	search: 'M11 18a7 7 0 100-14 7 7 0 000 14zM16 16l5 5',
	close: 'M6 6l12 12M18 6L6 18',
	plus: 'M12 5v14M5 12h14',
	download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
	terminal: 'M4 6l6 6-6 6M12 19h8',
	check: 'M5 13l4 4L19 7',
	pause: 'M9 5v14M15 5v14',
	play: 'M7 5l12 7-12 7z',
	stop: 'M6 6h12v12H6z',
	help: 'M9 9a3 3 0 116 0c0 2-3 2-3 5M12 17.5v.1M12 22a10 10 0 100-20 10 10 0 000 20z',
	out: 'M10 4H5v16h5M14 8l5 4-5 4M9 12h10',
	up: 'M6 15l6-6 6 6',
	down: 'M6 9l6 6 6-6',
} as const;

export type IconName = keyof typeof shapes;

export const Icon = ({name}: {readonly name: IconName}): JSX.Element => (
	<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
		<path d={shapes[name]} />
	</svg>
);
