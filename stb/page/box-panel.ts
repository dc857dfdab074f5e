import type {StbStatus} from '#appliance/contract/stb-status-schema.ts';
import {create, createSvg, setAttribute, setText} from '../../appliance/page/dom.ts';
import {formatBytes, formatCount, formatPercent, formatRate} from '../../appliance/page/format.ts';
import {createSparkline} from '../../appliance/page/sparkline.ts';
import type {PageTitle} from './page-title.ts';
import {createStoredList} from './stored-list.ts';

const fact = (term: string): {readonly element: HTMLElement; readonly show: (text: string) => void} => {
	const value = create('dd');
	return {
		element: create('div', {class: 'fact'}, create('dt', {}, term), value),
		show: (text) => setText(value, text),
	};
};

export type BoxPanel = {
	readonly elements: readonly HTMLElement[];
	readonly update: (status: StbStatus, titles: readonly PageTitle[]) => void;
};

const ringLength = 100;

const createRing = (): {readonly element: SVGSVGElement; readonly show: (ratio: number) => void} => {
	const circle = {cx: 21, cy: 21, r: ringLength / (2 * Math.PI), fill: 'none'};
	const value = createSvg('circle', {...circle, class: 'ring-value', transform: 'rotate(-90 21 21)'});
	return {
		element: createSvg(
			'svg',
			{viewBox: '0 0 42 42', class: 'ring', 'aria-hidden': 'true'},
			createSvg('circle', {...circle, class: 'ring-track'}),
			value,
		),
		show: (ratio) => setAttribute(value, 'stroke-dasharray', `${(ratio * ringLength).toFixed(1)} ${ringLength}`),
	};
};

/** What lies on the box, and how the signal is: two panels of plain facts. */
export const createBoxPanel = (): BoxPanel => {
	const used = create('strong', {class: 'big'});
	const budget = create('span', {class: 'soft'});
	const ring = createRing();
	const stored = fact('Stored items');
	const instant = fact('Played from this box');
	const kept = createStoredList();
	const freed = fact('Made room for newer');
	const cache = create(
		'section',
		{class: 'panel', 'aria-labelledby': 'cache-heading'},
		create('h2', {id: 'cache-heading'}, 'On this box'),
		create('div', {class: 'panel-lead'}, ring.element, create('p', {}, used, budget)),
		create('dl', {class: 'facts'}, stored.element, instant.element, freed.element),
		kept.element,
	);
	const rate = create('strong', {class: 'big'});
	const spark = createSparkline({label: 'Reception over the last two minutes', scaleMin: 1_000_000});
	const received = fact('Received whole');
	const repaired = fact('Repaired');
	const internet = fact('Over the internet');
	const reception = create(
		'section',
		{class: 'panel', 'aria-labelledby': 'reception-heading'},
		create('h2', {id: 'reception-heading'}, 'Reception'),
		create('p', {class: 'panel-lead'}, rate),
		spark.element,
		create('dl', {class: 'facts'}, received.element, repaired.element, internet.element),
	);
	return {
		elements: [cache, reception],
		update: (status, titles) => {
			kept.update(titles);
			const {bytes, budgetBytes, objects, hitRatio, evictions} = status.cache;
			setText(used, formatBytes(bytes));
			setText(budget, ` of ${formatBytes(budgetBytes)}`);
			ring.show(budgetBytes === 0 ? 0 : Math.min(1, bytes / budgetBytes));
			stored.show(formatCount(objects));
			instant.show(status.cache.hits + status.cache.misses === 0 ? '–' : formatPercent(hitRatio));
			freed.show(formatCount(evictions));
			setText(rate, formatRate(status.receive.rateBps));
			spark.push(status.receive.rateBps);
			received.show(formatCount(status.objects.received));
			repaired.show(`${formatCount(status.objects.repaired)} (${formatBytes(status.repair.bytes)})`);
			internet.show(formatBytes(status.terrestrial.bytes));
		},
	};
};
