import {create, setAttribute, setText} from '../../appliance/page/dom.ts';
import {formatLength, formatPercent} from '../../appliance/page/format.ts';
import type {ListRow} from '../../appliance/page/keyed-list.ts';
import {createPicture} from './artwork.ts';
import type {PageTitle} from './page-title.ts';

export type CardItem = {
	readonly title: PageTitle;
	/** Share of its arriving objects that is there; undefined when nothing of it is arriving. */
	readonly arrivingRatio: number | undefined;
};

const factOf = ({title, arrivingRatio}: CardItem): string => {
	if (title.kind === 'live') {
		return 'Live';
	}
	if (arrivingRatio !== undefined) {
		return `Arriving ${formatPercent(arrivingRatio)}`;
	}
	return title.cachedObjects > 0 ? 'On this box' : 'On demand';
};

/** A channel or title as a button; everything on it is also in its accessible name. */
export const createCard = (
	item: CardItem,
	actions: {readonly onPlay: (title: PageTitle) => void; readonly onFocus: (title: PageTitle) => void},
): ListRow<CardItem> => {
	let title = item.title;
	const number = create('span', {class: 'card-number', 'aria-hidden': 'true'});
	const name = create('span', {class: 'card-name'});
	const fact = create('span', {class: 'card-fact'});
	const length = create('span', {class: 'card-length'});
	const bar = create('span', {class: 'card-bar', 'aria-hidden': 'true'});
	const picture = create('span', {class: 'card-picture'}, createPicture(title), number, bar);
	const button = create(
		'button',
		{type: 'button', class: `card is-${title.kind}`, tabindex: -1},
		picture,
		create('span', {class: 'card-text'}, name, create('span', {class: 'card-line'}, fact, length)),
	);
	button.addEventListener('click', () => actions.onPlay(title));
	button.addEventListener('focus', () => actions.onFocus(title));
	let pictureKey = `${title.imageUri} ${title.name}`;
	return {
		element: create('li', {class: 'card-item'}, button),
		update: (next) => {
			title = next.title;
			const nextKey = `${title.imageUri} ${title.name}`;
			if (nextKey !== pictureKey) {
				pictureKey = nextKey;
				picture.firstElementChild?.replaceWith(createPicture(title));
			}
			const channel = title.channelNumber === undefined ? '' : String(title.channelNumber);
			setText(number, channel);
			number.hidden = channel === '';
			setText(name, title.name);
			setText(fact, factOf(next));
			setAttribute(fact, 'data-state', title.kind === 'live' ? 'live' : title.cachedObjects > 0 ? 'here' : undefined);
			setText(length, title.durationMs === undefined ? '' : formatLength(title.durationMs));
			bar.hidden = title.kind === 'live' || next.arrivingRatio === undefined;
			bar.style.setProperty('--ratio', String(next.arrivingRatio ?? 0));
			const label = [title.name, channel === '' ? '' : `channel ${channel}`, factOf(next)];
			setAttribute(button, 'aria-label', label.filter((part) => part !== '').join(', '));
			setAttribute(button, 'data-title', title.id);
		},
	};
};
