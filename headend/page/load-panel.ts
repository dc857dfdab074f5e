import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import {create, setAttribute, setText} from '../../appliance/page/dom.ts';
import {formatBytes} from '../../appliance/page/format.ts';
import {keyedList} from '../../appliance/page/keyed-list.ts';
import {createPanel, createPriority, type Panel} from './panel.ts';

type Load = HeadendStatus['carousel']['load'][number];
type Misfit = HeadendStatus['carousel']['doesNotFit'][number];

const misfitsShownMax = 20;

const percentOf = (ratio: number): string => `${Math.round(ratio * 100)} %`;

const createLoadRow = (load: Load) => {
	const text = create('span', {class: 'load-text'});
	const bar = create('div', {class: 'bar', role: 'img'});
	const element = create('li', {class: 'load'}, createPriority(load.priority), text, bar);
	return {
		element,
		update: ({priority, share, usedRatio}: Load) => {
			setText(text, `${percentOf(usedRatio)} of the rate, ${percentOf(share)} kept for it`);
			setAttribute(bar, 'aria-label', `${priority}: ${text.textContent}`);
			setAttribute(bar, 'data-priority', priority);
			// Beyond its share it lives on what the others leave, which the plan allows as long as they do.
			setAttribute(bar, 'data-over', usedRatio > share);
			bar.style.setProperty('--ratio', String(Math.min(1, usedRatio)));
			bar.style.setProperty('--share', String(Math.min(1, share)));
		},
	};
};

const createMisfitRow = () => {
	const path = create('span', {class: 'path'});
	const why = create('span', {class: 'misfit-why'});
	return {
		element: create('li', {class: 'misfit'}, path, why),
		update: (misfit: Misfit) => {
			setText(path, misfit.path);
			setText(why, `${formatBytes(misfit.sizeBytes)}: ${misfit.reason}`);
		},
	};
};

/** How full each priority's share is, and what the plan had to leave out. */
export const createLoadPanel = (): Panel => {
	const loads = create('ul', {class: 'loads'});
	const verdict = create('p', {class: 'verdict', role: 'status'});
	const misfits = create('ul', {class: 'misfits'});
	const showLoads = keyedList<Load>(loads, {keyOf: (load) => load.priority, create: createLoadRow});
	const showMisfits = keyedList<Misfit>(misfits, {keyOf: (misfit) => misfit.path, create: createMisfitRow});
	return {
		element: createPanel('Load', loads, verdict, misfits),
		update: ({carousel: {load, doesNotFit}}) => {
			showLoads(load);
			showMisfits(doesNotFit.slice(0, misfitsShownMax));
			const count = doesNotFit.length;
			const many = `${count} ${count === 1 ? 'object does' : 'objects do'} not fit into the round`;
			setText(verdict, count === 0 ? 'Everything fits into the round' : many);
			setAttribute(verdict, 'data-bad', count > 0);
		},
	};
};
