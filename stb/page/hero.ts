import {create, icon, setText} from '../../appliance/page/dom.ts';
import {formatLength} from '../../appliance/page/format.ts';
import {createPicture} from './artwork.ts';
import type {PageTitle} from './page-title.ts';

const playIcon = 'M8 5v14l11-7z';

const kickerOf = (title: PageTitle): string => {
	if (title.kind === 'live') {
		return title.channelNumber === undefined ? 'Live now' : `Live now · Channel ${title.channelNumber}`;
	}
	const length = title.durationMs === undefined ? [] : [formatLength(title.durationMs)];
	return [title.cachedObjects > 0 ? 'On this box' : 'On demand', ...length].join(' · ');
};

export type Hero = {readonly element: HTMLElement; readonly show: (title: PageTitle | undefined) => void};

/** The large picture on top: what the focus is on, or the first thing there is. */
export const createHero = (onPlay: (title: PageTitle) => void): Hero => {
	let shown: PageTitle | undefined;
	let backdropKey = '';
	const backdrop = create('div', {class: 'hero-backdrop', 'aria-hidden': 'true'});
	const kicker = create('p', {class: 'hero-kicker'});
	const name = create('h1', {class: 'hero-name'});
	const description = create('p', {class: 'hero-description'});
	const play = create('button', {type: 'button', class: 'play-button'}, icon(playIcon), 'Play');
	play.addEventListener('click', () => {
		if (shown !== undefined) {
			onPlay(shown);
		}
	});
	const element = create(
		'section',
		{class: 'hero', 'aria-label': 'Selected'},
		backdrop,
		create('div', {class: 'hero-text'}, kicker, name, description, play),
	);
	return {
		element,
		show: (title) => {
			shown = title;
			play.hidden = title === undefined;
			if (title === undefined) {
				setText(kicker, 'Welcome');
				setText(name, 'StreamVerse');
				setText(description, 'Your channels and films appear here as soon as the satellite has told of them.');
				return;
			}
			setText(kicker, kickerOf(title));
			setText(name, title.name);
			setText(description, title.description ?? '');
			const key = `${title.id} ${title.imageUri}`;
			if (key !== backdropKey) {
				backdropKey = key;
				backdrop.replaceChildren(createPicture(title, {plain: true}));
			}
		},
	};
};
