import type {OrderTarget} from '#appliance/contract/fleet/order-schema.ts';
import {evaluateFilter, type FilterMoment} from '#appliance/filter/evaluate-filter.ts';
import type {FilterFacts} from '#appliance/filter/filter-fields.ts';
import {parseFilter} from '#appliance/filter/parse-filter.ts';
import {shareOf} from '#appliance/filter/share-of.ts';

/** Whether an order is for this box. Throws the parser's `APPLIANCE_FILTER_…` error for a filter that cannot be read. */
export const matchesTarget = (target: OrderTarget, facts: FilterFacts, moment: FilterMoment): boolean => {
	if (target.kind === 'box') {
		return target.deviceId === facts.id;
	}
	const node = parseFilter(target.filter);
	const share = shareOf(target.salt, facts.id);
	return target.from <= share && share < target.to && evaluateFilter(node, facts, moment);
};
