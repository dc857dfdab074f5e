import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import {create, setAttribute, setText} from '../../appliance/page/dom.ts';

export type Panel = {readonly element: HTMLElement; readonly update: (status: HeadendStatus) => void};

let panels = 0;

/** A titled card of the page. */
export const createPanel = (heading: string, ...children: readonly Element[]): HTMLElement => {
	panels += 1;
	const id = `panel-${panels}`;
	return create('section', {class: 'panel', 'aria-labelledby': id}, create('h2', {id}, heading), ...children);
};

/** A term with a value that changes. */
export const createFact = (
	term: string,
): {readonly element: HTMLElement; readonly show: (text: string, isBad?: boolean) => void} => {
	const value = create('dd');
	return {
		element: create('div', {class: 'fact'}, create('dt', {}, term), value),
		show: (text, isBad = false) => {
			setText(value, text);
			setAttribute(value, 'data-bad', isBad);
		},
	};
};

/** A priority as a word in a coloured frame: the colour repeats what the word says. */
export const createPriority = (priority: string): HTMLElement =>
	create('span', {class: 'priority', 'data-priority': priority}, priority);
