import type {CatalogueObject, CataloguePage} from '#appliance/contract/catalogue-schema.ts';
import {create, setText} from '../../appliance/page/dom.ts';
import {formatBytes, formatCount} from '../../appliance/page/format.ts';
import {keyedList} from '../../appliance/page/keyed-list.ts';
import {createPanel, createPriority} from './panel.ts';

const pageLimit = 1000;
/** A search reads at most this many pages; a larger catalogue is searched by the command line. */
const pagesMax = 50;
const shownMax = 100;
const settleMs = 250;
const timeoutMs = 10_000;

type Found = {readonly matches: readonly CatalogueObject[]; readonly searched: number; readonly isComplete: boolean};

/** Every word must occur in the path, the type or the service. */
const matches = (object: CatalogueObject, words: readonly string[]): boolean => {
	const text = `${object.path} ${object.contentType} ${object.service ?? ''} ${object.priority}`.toLowerCase();
	return words.every((word) => text.includes(word));
};

const search = async (words: readonly string[], signal: AbortSignal): Promise<Found> => {
	const found: CatalogueObject[] = [];
	let after = '';
	let searched = 0;
	for (let pages = 0; pages < pagesMax; pages += 1) {
		const query = new URLSearchParams({limit: String(pageLimit), ...(after === '' ? {} : {after})});
		const response = await fetch(`/catalogue?${query}`, {
			signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
		});
		if (!response.ok) {
			throw new Error(`status ${response.status}`);
		}
		const page = (await response.json()) as CataloguePage;
		searched += page.objects.length;
		found.push(...page.objects.filter((object) => matches(object, words)));
		if (page.next === undefined || found.length >= shownMax) {
			return {
				matches: found.slice(0, shownMax),
				searched,
				isComplete: page.next === undefined && found.length <= shownMax,
			};
		}
		after = page.next;
	}
	return {matches: found, searched, isComplete: false};
};

const createRow = (object: CatalogueObject) => {
	const size = create('td', {class: 'number'});
	const type = create('td', {class: 'soft'});
	const expires = create('td', {class: 'soft'});
	const path = create('td', {class: 'path'}, object.path);
	return {
		element: create('tr', {}, create('td', {}, createPriority(object.priority)), path, type, expires, size),
		update: (next: CatalogueObject) => {
			setText(size, formatBytes(next.sizeBytes));
			setText(type, next.contentType);
			const until = next.expiresMs === undefined ? '' : new Date(next.expiresMs).toISOString().slice(0, 16);
			setText(expires, until === '' ? '' : `until ${until.replace('T', ' ')}`);
		},
	};
};

const summaryOf = ({matches: {length}, searched, isComplete}: Found): string => {
	const many = `${formatCount(length)} of ${formatCount(searched)} objects`;
	return isComplete ? many : `The first ${many} read; name more of the path to find others.`;
};

/** Finds objects of the catalogue while somebody types; each search ends the one before. */
export const createCataloguePanel = (): HTMLElement => {
	const input = create('input', {
		type: 'search',
		class: 'search',
		placeholder: 'Part of a path, type or service',
		'aria-label': 'Search the catalogue',
		autocomplete: 'off',
		spellcheck: 'false',
	});
	const summary = create('p', {class: 'soft', role: 'status'});
	const body = create('tbody');
	const frame = create(
		'div',
		{class: 'table-frame', tabindex: 0, role: 'region', 'aria-label': 'Found objects'},
		create('table', {}, body),
	);
	frame.hidden = true;
	const show = keyedList<CatalogueObject>(body, {
		keyOf: ({path, revision}) => `${revision} ${path}`,
		create: createRow,
	});
	let controller = new AbortController();
	const run = async (): Promise<void> => {
		controller.abort();
		controller = new AbortController();
		const {signal} = controller;
		const words = input.value
			.toLowerCase()
			.split(/\s+/u)
			.filter((word) => word !== '');
		if (words.length === 0) {
			show([]);
			frame.hidden = true;
			setText(summary, '');
			return;
		}
		try {
			const found = await search(words, signal);
			if (!signal.aborted) {
				show(found.matches);
				frame.hidden = found.matches.length === 0;
				setText(summary, summaryOf(found));
			}
		} catch {
			if (!signal.aborted) {
				setText(summary, 'The headend did not answer; try again.');
			}
		}
	};
	let timer: ReturnType<typeof setTimeout> | undefined;
	input.addEventListener('input', () => {
		clearTimeout(timer);
		timer = setTimeout(() => void run(), settleMs);
	});
	return createPanel('Catalogue', input, summary, frame);
};
