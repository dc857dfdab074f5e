import {create, icon} from '../../appliance/page/dom.ts';

const icons = {
	back: 'M20 11H7.8l5.6-5.6L12 4l-8 8 8 8 1.4-1.4L7.8 13H20z',
	play: 'M8 5v14l11-7z',
	pause: 'M6 5h4v14H6zm8 0h4v14h-4z',
	sound: 'M3 9v6h4l5 5V4L7 9zm13.5 3A4.5 4.5 0 0 0 14 8v8a4.5 4.5 0 0 0 2.5-4z',
	silent:
		'M16.5 12A4.5 4.5 0 0 0 14 8v2.2l2.4 2.4zM4.3 3 3 4.3 7.7 9H3v6h4l5 5v-6.7l4.7 4.7L18 16.7zM12 4 9.9 6.1 12 8.2z',
	full: 'M5 5h5v2H7v3H5zm9 0h5v5h-2V7h-3zM5 14h2v3h3v2H5zm12 0h2v5h-5v-2h3z',
} as const;

const iconButton = (name: string, ...shapes: readonly SVGSVGElement[]): HTMLButtonElement =>
	create('button', {type: 'button', class: 'round-button', 'aria-label': name}, ...shapes);

/** The player's elements, without behaviour. */
export type PlayerView = ReturnType<typeof createPlayerView>;

export const createPlayerView = () => {
	const video = create('video', {class: 'player-video', playsinline: true, tabindex: -1});
	const close = iconButton('Back', icon(icons.back));
	const name = create('h2', {class: 'player-name', id: 'player-name'});
	const badge = create('span', {class: 'player-badge'});
	const playShape = icon(icons.play);
	const pauseShape = icon(icons.pause);
	const toggle = iconButton('Play', playShape, pauseShape);
	const soundShape = icon(icons.sound);
	const silentShape = icon(icons.silent);
	const mute = iconButton('Mute', soundShape, silentShape);
	const full = iconButton('Full screen', icon(icons.full));
	const seek = create('input', {type: 'range', min: 0, max: 1000, step: 1, class: 'seek', 'aria-label': 'Position'});
	const time = create('span', {class: 'player-time'});
	const facts = create('span', {class: 'player-facts'});
	const unmute = create('button', {type: 'button', class: 'pill'}, icon(icons.silent), 'Tap for sound');
	const spinner = create('div', {class: 'spinner', 'aria-hidden': 'true'});
	const waiting = create('p', {class: 'player-waiting', role: 'status'});
	const message = create('p', {class: 'player-message-text', id: 'player-message'});
	const code = create('p', {class: 'player-message-code'});
	const retry = create('button', {type: 'button', class: 'play-button'}, 'Try again');
	const leave = create('button', {type: 'button', class: 'quiet-button'}, 'Back');
	const failure = create(
		'div',
		{class: 'player-message', role: 'alert'},
		message,
		create('div', {class: 'player-message-actions'}, retry, leave),
		code,
	);
	const dialog = create(
		'dialog',
		{class: 'player', 'aria-labelledby': 'player-name'},
		video,
		create('div', {class: 'player-centre'}, spinner, waiting),
		create('header', {class: 'player-top'}, close, create('div', {}, name, badge), unmute),
		create(
			'footer',
			{class: 'player-bottom'},
			seek,
			create('div', {class: 'player-controls'}, toggle, mute, time, facts, full),
		),
		failure,
	);
	return {
		dialog,
		video,
		close,
		name,
		badge,
		toggle,
		playShape,
		pauseShape,
		mute,
		soundShape,
		silentShape,
		full,
		seek,
		time,
		facts,
		unmute,
		spinner,
		waiting,
		message,
		code,
		retry,
		leave,
		failure,
	};
};
