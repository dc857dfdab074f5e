import type {Arrival, StbStatus} from '#appliance/contract/stb-status-schema.ts';
import {create, createSvg, setAttribute, setText} from '../../appliance/page/dom.ts';
import {formatBytes, formatPercent} from '../../appliance/page/format.ts';
import {keyedList, type ListRow} from '../../appliance/page/keyed-list.ts';
import {type PageTitle, titleOfObject} from './page-title.ts';

const shownMax = 8;

const phaseText = {
	receiving: 'from the satellite',
	repairing: 'filling gaps over the internet',
	verifying: 'checking',
} as const;

type ArrivalItem = {readonly arrival: Arrival; readonly title: PageTitle | undefined};

const fileOf = (uri: string): string => {
	const file = uri.slice(uri.lastIndexOf('/') + 1) || uri;
	try {
		return decodeURIComponent(file);
	} catch {
		return file;
	}
};

/** One cell per part of the object, as bright as it is complete: holes from a rain cloud can be seen closing. */
const createBlockMap = (): {readonly element: SVGSVGElement; readonly update: (parts: readonly number[]) => void} => {
	const element = createSvg('svg', {class: 'block-map', preserveAspectRatio: 'none', 'aria-hidden': 'true'});
	return {
		element,
		update: (parts) => {
			setAttribute(element, 'viewBox', `0 0 ${Math.max(1, parts.length) * 10} 10`);
			while (element.childElementCount > parts.length) {
				element.lastElementChild?.remove();
			}
			for (const [index, part] of parts.entries()) {
				const cell =
					element.children[index] ??
					element.appendChild(createSvg('rect', {x: index * 10 + 0.8, y: 0, width: 8.4, height: 10, rx: 1.2}));
				setAttribute(cell, 'fill-opacity', (0.1 + 0.9 * part).toFixed(2));
			}
		},
	};
};

const createArrivalRow = (): ListRow<ArrivalItem> => {
	const name = create('span', {class: 'arrival-name'});
	const facts = create('span', {class: 'arrival-facts'});
	const map = createBlockMap();
	const element = create('li', {class: 'arrival'}, create('div', {class: 'arrival-head'}, name, facts));
	element.append(map.element);
	return {
		element,
		update: ({arrival, title}) => {
			const ratio = arrival.sizeBytes === 0 ? 1 : Math.min(1, arrival.receivedBytes / arrival.sizeBytes);
			setText(name, title === undefined ? fileOf(arrival.uri) : `${title.name} · ${fileOf(arrival.uri)}`);
			setText(facts, `${formatPercent(ratio)} of ${formatBytes(arrival.sizeBytes)}, ${phaseText[arrival.phase]}`);
			setAttribute(element, 'data-phase', arrival.phase);
			map.update(arrival.blockMap);
		},
	};
};

export type ArrivalsPanel = {
	readonly element: HTMLElement;
	readonly update: (status: StbStatus, titles: readonly PageTitle[]) => void;
};

/** What is on its way at this moment. */
export const createArrivalsPanel = (): ArrivalsPanel => {
	const list = create('ul', {class: 'arrivals'});
	const more = create('p', {class: 'panel-note'});
	const element = create(
		'section',
		{class: 'panel', 'aria-labelledby': 'arrivals-heading'},
		create('h2', {id: 'arrivals-heading'}, 'Arriving'),
		list,
		more,
	);
	const show = keyedList<ArrivalItem>(list, {keyOf: (item) => item.arrival.uri, create: createArrivalRow});
	return {
		element,
		update: ({objects}, titles) => {
			const arriving = objects.arriving.slice(0, shownMax);
			show(arriving.map((arrival) => ({arrival, title: titleOfObject(titles, arrival.uri)})));
			const others = objects.arriving.length - arriving.length;
			const quiet = 'Nothing is on its way right now. New programmes appear here as the satellite sends them.';
			setText(more, others > 0 ? `and ${others} more` : quiet);
			more.hidden = arriving.length > 0 && others <= 0;
		},
	};
};
