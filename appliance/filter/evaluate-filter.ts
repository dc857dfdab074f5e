import type {FilterFacts, FilterField} from '#appliance/filter/filter-fields.ts';
import {searchedFields} from '#appliance/filter/filter-fields.ts';
import type {FilterNode, FilterOrder, FilterTime} from '#appliance/filter/filter-node.ts';
import {compareReleases} from '#appliance/filter/release-order.ts';

export type FilterMoment = {readonly nowMs: number};

/** Only ASCII letters lose their case, as in SQLite's and (in the C locale) PostgreSQL's `lower`. */
export const foldCase = (text: string): string => text.replaceAll(/[A-Z]/gu, (letter) => letter.toLowerCase());

/** The point in time that a filter's time means now. */
export const timeOf = (time: FilterTime, {nowMs}: FilterMoment): number =>
	time.kind === 'at' ? time.atMs : nowMs - time.agoMs;

/** Whether a box matches. Never throws. */
export const evaluateFilter = (node: FilterNode, facts: FilterFacts, moment: FilterMoment): boolean => {
	switch (node.kind) {
		case 'all':
			return true;
		case 'and':
			return node.nodes.every((each) => evaluateFilter(each, facts, moment));
		case 'or':
			return node.nodes.some((each) => evaluateFilter(each, facts, moment));
		case 'not':
			return !evaluateFilter(node.node, facts, moment);
		case 'search':
			return searchedFields.some((field) => textsOf(facts, field).some((text) => contains(text, node.text)));
		case 'equals':
			return textsOf(facts, node.field).some((text) => foldCase(text) === foldCase(node.value));
		case 'wildcard':
			return textsOf(facts, node.field).some((text) => matchesWildcard(foldCase(text), node.parts.map(foldCase)));
		case 'contains':
			return textsOf(facts, node.field).some((text) => contains(text, node.text));
		case 'release': {
			const release = facts[node.field];
			const order = release === undefined ? undefined : compareReleases(release, node.value);
			return order !== undefined && holds(order, node.order);
		}
		case 'time': {
			const factMs = node.field === 'lastSeen' ? facts.lastSeenMs : facts.enrolledMs;
			return factMs !== undefined && holds(factMs - timeOf(node.value, moment), node.order);
		}
	}
};

const textsOf = (facts: FilterFacts, field: Exclude<FilterField, 'lastSeen' | 'enrolled'>): readonly string[] => {
	if (field === 'tag') {
		return facts.tags ?? [];
	}
	const text = facts[field];
	return text === undefined ? [] : [text];
};

const contains = (text: string, part: string): boolean => foldCase(text).includes(foldCase(part));

/** The leftmost place of each part is as good as any other, so that this never goes back. */
const matchesWildcard = (text: string, parts: readonly string[]): boolean => {
	const [first = '', ...rest] = parts;
	const last = rest.pop() ?? '';
	if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) {
		return false;
	}
	const end = text.length - last.length;
	let index = first.length;
	for (const part of rest) {
		const found = text.indexOf(part, index);
		if (found === -1 || found + part.length > end) {
			return false;
		}
		index = found + part.length;
	}
	return index <= end;
};

const holds = (difference: number, order: FilterOrder): boolean => {
	switch (order) {
		case '<':
			return difference < 0;
		case '<=':
			return difference <= 0;
		case '>':
			return difference > 0;
		case '>=':
			return difference >= 0;
	}
};
