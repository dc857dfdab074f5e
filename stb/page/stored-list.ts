import {create, setText} from '../../appliance/page/dom.ts';
import {formatCount} from '../../appliance/page/format.ts';
import {keyedList} from '../../appliance/page/keyed-list.ts';
import type {PageTitle} from './page-title.ts';

const shownMax = 5;

const createRow = () => {
	const name = create('dt');
	const count = create('dd');
	return {
		element: create('div', {class: 'fact'}, name, count),
		update: (title: PageTitle) => {
			setText(name, title.name);
			setText(count, `${formatCount(title.cachedObjects)} ${title.cachedObjects === 1 ? 'piece' : 'pieces'}`);
		},
	};
};

/** What the box keeps, by title: the ones of which it has most. */
export const createStoredList = (): {
	readonly element: HTMLElement;
	readonly update: (titles: readonly PageTitle[]) => void;
} => {
	const element = create('dl', {class: 'facts stored', 'aria-label': 'Kept on this box, by title'});
	const show = keyedList<PageTitle>(element, {keyOf: ({id}) => id, create: createRow});
	return {
		element,
		update: (titles) => {
			const kept = titles.filter(({cachedObjects}) => cachedObjects > 0);
			show(kept.toSorted((a, b) => b.cachedObjects - a.cachedObjects).slice(0, shownMax));
		},
	};
};
