import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import {create, setText} from '../../appliance/page/dom.ts';
import {formatBytes, formatTime} from '../../appliance/page/format.ts';
import {keyedList} from '../../appliance/page/keyed-list.ts';
import {createPanel, createPriority, type Panel} from './panel.ts';

type Upcoming = HeadendStatus['next'][number];

const shownMax = 100;
const tickMs = 1000;

const createRow = (upcoming: Upcoming) => {
	const countdown = create('td', {class: 'number countdown'});
	const size = create('td', {class: 'number'});
	const path = create('td', {class: 'path'}, upcoming.path);
	return {
		element: create('tr', {}, countdown, create('td', {}, createPriority(upcoming.priority)), path, size),
		update: ({inMs, sizeBytes}: Upcoming) => {
			setText(countdown, inMs < 1000 ? 'now' : formatTime(inMs));
			setText(size, formatBytes(sizeBytes));
		},
	};
};

/** What comes next, counted down between the status reports so that it never seems to stand still. */
export const createNextPanel = (): Panel => {
	const body = create('tbody');
	const table = create(
		'table',
		{},
		create(
			'thead',
			{},
			create(
				'tr',
				{},
				create('th', {scope: 'col', class: 'number'}, 'In'),
				create('th', {scope: 'col'}, 'Priority'),
				create('th', {scope: 'col'}, 'Object'),
				create('th', {scope: 'col', class: 'number'}, 'Size'),
			),
		),
		body,
	);
	const frame = create('div', {class: 'table-frame', tabindex: 0, role: 'region', 'aria-label': 'Next on air'}, table);
	const show = keyedList<Upcoming>(body, {keyOf: ({path, priority}) => `${priority} ${path}`, create: createRow});
	let next: readonly Upcoming[] = [];
	let receivedMs = 0;
	const draw = (): void => {
		const sinceMs = performance.now() - receivedMs;
		show(next.map((upcoming) => ({...upcoming, inMs: Math.max(0, upcoming.inMs - sinceMs)})));
	};
	setInterval(draw, tickMs);
	return {
		element: createPanel('Next on air', frame),
		update: (status) => {
			next = status.next.slice(0, shownMax);
			receivedMs = performance.now();
			draw();
		},
	};
};
