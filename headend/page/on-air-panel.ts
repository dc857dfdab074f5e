import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import {create, setAttribute, setText} from '../../appliance/page/dom.ts';
import {formatBytes, formatPercent} from '../../appliance/page/format.ts';
import {keyedList} from '../../appliance/page/keyed-list.ts';
import {createPanel, createPriority, type Panel} from './panel.ts';

type Sending = HeadendStatus['onAir'][number];

const shownMax = 8;

const createRow = (sending: Sending) => {
	const path = create('span', {class: 'path'}, sending.path);
	const facts = create('span', {class: 'soft'});
	const bar = create('div', {class: 'bar', 'aria-hidden': 'true'});
	return {
		element: create('li', {class: 'sending'}, createPriority(sending.priority), path, facts, bar),
		update: ({sizeBytes, sentRatio, toi, priority}: Sending) => {
			setText(facts, `${formatPercent(sentRatio)} of ${formatBytes(sizeBytes)} · TOI ${toi}`);
			setAttribute(bar, 'data-priority', priority);
			bar.style.setProperty('--ratio', String(sentRatio));
		},
	};
};

/** What is in the air at this moment. */
export const createOnAirPanel = (): Panel => {
	const list = create('ul', {class: 'on-air'});
	const quiet = create('p', {class: 'soft'}, 'Nothing but signalling is on air.');
	const show = keyedList<Sending>(list, {keyOf: ({path, toi}) => `${toi} ${path}`, create: createRow});
	return {
		element: createPanel('On air now', list, quiet),
		update: ({onAir}) => {
			show(onAir.slice(0, shownMax));
			quiet.hidden = onAir.length > 0;
		},
	};
};
