import type {StbStatus} from '#appliance/contract/stb-status-schema.ts';
import {create, setText} from '../../appliance/page/dom.ts';
import {keyedList} from '../../appliance/page/keyed-list.ts';
import {navigateByArrows, repairTabStops} from './navigation.ts';
import {type PageTitle, sortTitles, titleOfObject} from './page-title.ts';
import {type CardItem, createCard} from './title-card.ts';

type Row = {readonly element: HTMLElement; readonly update: (items: readonly CardItem[]) => void};

type Actions = {readonly onPlay: (title: PageTitle) => void; readonly onFocus: (title: PageTitle) => void};

const createRow = (options: {readonly id: string; readonly heading: string; readonly actions: Actions}): Row => {
	const {id, heading, actions} = options;
	const list = create('ul', {class: 'cards'});
	const count = create('span', {class: 'row-count'});
	const title = create('h2', {id: `${id}-heading`}, heading, ' ', count);
	const element = create(
		'section',
		{class: `row row-${id}`, 'data-row': id, 'aria-labelledby': `${id}-heading`},
		title,
		list,
	);
	const show = keyedList<CardItem>(list, {
		keyOf: (item) => item.title.id,
		create: (item) => createCard(item, actions),
	});
	return {
		element,
		update: (items) => {
			show(items);
			setText(count, items.length === 0 ? '' : String(items.length));
			element.hidden = items.length === 0;
		},
	};
};

/** Bytes there and bytes in all of what is arriving, by title. */
const arrivingRatios = (status: StbStatus | undefined, titles: readonly PageTitle[]): ReadonlyMap<string, number> => {
	const sums = new Map<string, {received: number; size: number}>();
	for (const arrival of status?.objects.arriving ?? []) {
		const title = titleOfObject(titles, arrival.uri);
		if (title !== undefined) {
			const sum = sums.get(title.id) ?? {received: 0, size: 0};
			sums.set(title.id, {
				received: sum.received + arrival.receivedBytes,
				size: sum.size + arrival.sizeBytes,
			});
		}
	}
	return new Map([...sums].map(([id, {received, size}]) => [id, size === 0 ? 1 : Math.min(1, received / size)]));
};

export type Home = {
	readonly element: HTMLElement;
	readonly update: (titles: readonly PageTitle[], status: StbStatus | undefined) => void;
};

/** The rows of what can be watched: channels, then titles. */
export const createHome = (actions: Actions): Home => {
	const live = createRow({id: 'live', heading: 'Live channels', actions});
	const demand = createRow({id: 'vod', heading: 'Films and programmes', actions});
	const element = create('div', {class: 'rows'}, live.element, demand.element);
	navigateByArrows(element);
	return {
		element,
		update: (titles, status) => {
			const ratios = arrivingRatios(status, titles);
			const items = sortTitles(titles).map((title) => ({title, arrivingRatio: ratios.get(title.id)}));
			live.update(items.filter(({title}) => title.kind === 'live'));
			demand.update(items.filter(({title}) => title.kind === 'vod'));
			repairTabStops(element);
		},
	};
};
