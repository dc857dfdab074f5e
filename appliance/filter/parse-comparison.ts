import {filterError} from '#appliance/filter/filter-error.ts';
import {
	type FilterField,
	type FilterFieldOf,
	type FilterFieldType,
	filterFields,
} from '#appliance/filter/filter-fields.ts';
import type {FilterNode, FilterOrder, FilterTime} from '#appliance/filter/filter-node.ts';
import {parseRelease} from '#appliance/filter/release-order.ts';
import type {FilterToken} from '#appliance/filter/tokenize-filter.ts';

export type FilterOperator = '=' | '!=' | '~' | FilterOrder;

export type Comparison = {
	readonly field: FilterField;
	readonly operator: FilterOperator;
	readonly operatorColumn: number;
	readonly value: FilterToken;
	/** The value was followed by `ago`. */
	readonly isAgo: boolean;
};

type TimeField = FilterFieldOf<'time'>;

const unitMs: Readonly<Record<string, number>> = {s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000};
const duration = /^(\d{1,6})([smhdw])$/u;
const isoTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z)?$/u;

/** One comparison, checked against the type of its field. */
export const parseComparison = (comparison: Comparison): FilterNode => {
	const {field, operator, value, isAgo} = comparison;
	if (filterFields[field].type === 'time') {
		return parseTime(comparison, field as TimeField);
	}
	if (isAgo) {
		throw wrongValue(value, `"ago" says a time, and ${field} is none.`);
	}
	switch (operator) {
		case '=':
			return parseEquals(comparison, field as Exclude<FilterField, TimeField>);
		case '!=':
			return {kind: 'not', node: parseEquals(comparison, field as Exclude<FilterField, TimeField>)};
		case '~':
			return {kind: 'contains', field: field as Exclude<FilterField, TimeField>, text: value.text};
		case '<':
		case '<=':
		case '>':
		case '>=':
			return parseRelation(comparison, operator);
	}
};

const wrongValue = ({column}: FilterToken, message: string): Error =>
	filterError('APPLIANCE_FILTER_WRONG_VALUE', column, message);

const parseEquals = ({value}: Comparison, field: Exclude<FilterField, TimeField>): FilterNode => {
	if (value.kind === 'word' && value.text.includes('*')) {
		return {kind: 'wildcard', field, parts: value.text.split(/\*+/u)};
	}
	const type: FilterFieldType = filterFields[field];
	if (type.type === 'choice' && !type.values.includes(value.text)) {
		throw wrongValue(value, `${field} is one of ${type.values.join(', ')}.`);
	}
	return {kind: 'equals', field, value: value.text};
};

const parseRelation = ({field, value, operatorColumn}: Comparison, order: FilterOrder): FilterNode => {
	if (filterFields[field].type !== 'release') {
		throw filterError('APPLIANCE_FILTER_WRONG_OPERATOR', operatorColumn, `${field} has no order; use =, != or ~.`);
	}
	if (parseRelease(value.text) === undefined) {
		throw wrongValue(value, `${field} is compared with a version such as 2.4.0.`);
	}
	return {kind: 'release', field: field as FilterFieldOf<'release'>, order, value: value.text};
};

const parseTime = ({operator, operatorColumn, value, isAgo}: Comparison, field: TimeField): FilterNode => {
	if (operator === '=' || operator === '!=' || operator === '~') {
		throw filterError('APPLIANCE_FILTER_WRONG_OPERATOR', operatorColumn, `${field} is compared by <, <=, > or >=.`);
	}
	return {kind: 'time', field, order: operator, value: isAgo ? parseAgo(value) : parseDate(value)};
};

const parseAgo = (value: FilterToken): FilterTime => {
	const match = duration.exec(value.text);
	if (match === null) {
		throw wrongValue(value, 'A duration is a number with s, m, h, d or w, such as 24h.');
	}
	return {kind: 'ago', agoMs: Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0)};
};

const parseDate = (value: FilterToken): FilterTime => {
	const atMs = isoTime.test(value.text) ? Date.parse(value.text) : Number.NaN;
	if (Number.isNaN(atMs)) {
		throw wrongValue(value, 'A time is "24h ago", 2026-11-21 or 2026-11-21T04:00Z.');
	}
	return {kind: 'at', atMs};
};
