import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import {create, createSvg, setAttribute, setText} from '../../appliance/page/dom.ts';
import {formatBytes, formatCount, formatTime} from '../../appliance/page/format.ts';
import {createFact, createPanel, type Panel} from './panel.ts';

const radius = 42;
const circumference = 2 * Math.PI * radius;

/** Where the carousel is in its round. */
export const createCyclePanel = (): Panel => {
	const circle = {cx: 50, cy: 50, r: radius, fill: 'none'};
	const value = createSvg('circle', {...circle, class: 'cycle-value', transform: 'rotate(-90 50 50)'});
	const head = createSvg('circle', {r: 4.2, class: 'cycle-head'});
	const percent = createSvg('text', {x: 50, y: 56, class: 'cycle-text'});
	const ring = createSvg(
		'svg',
		{viewBox: '0 0 100 100', class: 'cycle', 'aria-hidden': 'true'},
		createSvg('circle', {...circle, class: 'cycle-track'}),
		value,
		head,
		percent,
	);
	const left = create('strong', {class: 'big'});
	const length = create('span', {class: 'soft'});
	const rounds = createFact('Rounds done');
	const objects = createFact('Objects in the round');
	const sent = createFact('Sent since the start');
	const bytes = createFact('Catalogue');
	const element = createPanel(
		'Carousel',
		create('div', {class: 'lead'}, ring, create('p', {}, left, length)),
		create('dl', {class: 'facts'}, rounds.element, objects.element, sent.element, bytes.element),
	);
	return {
		element,
		update: ({carousel}: HeadendStatus) => {
			const {position, cycleMs} = carousel;
			const angle = position * 2 * Math.PI - Math.PI / 2;
			setAttribute(value, 'stroke-dasharray', `${(position * circumference).toFixed(2)} ${circumference.toFixed(2)}`);
			setAttribute(head, 'cx', (50 + radius * Math.cos(angle)).toFixed(2));
			setAttribute(head, 'cy', (50 + radius * Math.sin(angle)).toFixed(2));
			setText(percent, `${Math.floor(position * 100)} %`);
			setText(left, formatTime((1 - position) * cycleMs));
			setText(length, `left of ${formatTime(cycleMs)}`);
			rounds.show(formatCount(carousel.cycles));
			objects.show(formatCount(carousel.objects));
			sent.show(formatCount(carousel.objectsSent));
			bytes.show(formatBytes(carousel.bytes));
		},
	};
};
