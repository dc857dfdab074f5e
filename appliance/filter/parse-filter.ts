import {filterError} from '#appliance/filter/filter-error.ts';
import {type FilterField, filterFieldNames, filterFields} from '#appliance/filter/filter-fields.ts';
import type {FilterNode} from '#appliance/filter/filter-node.ts';
import {type FilterOperator, parseComparison} from '#appliance/filter/parse-comparison.ts';
import {type FilterToken, tokenizeFilter} from '#appliance/filter/tokenize-filter.ts';

/** Parentheses and `not` within each other, and comparisons and words altogether. */
export const filterDepthMax = 32;
export const filterTermsMax = 128;

/**
 * Parses the fleet's filter language; throws a CodedError (`APPLIANCE_FILTER_…`) with `details.column`. Hostile text costs no more
 * than time in proportion to its bounded length.
 *
 *     filter     = [ either ]                     ; an empty filter matches every box
 *     either     = both *( "or" both )
 *     both       = unary *( [ "and" ] unary )
 *     unary      = "not" unary / "(" either ")" / term
 *     term       = field operator value / field [ "not" ] "in" "(" value *( "," value ) ")" / word
 *     operator   = "=" / "!=" / "~" / "<" / "<=" / ">" / ">="
 *     value      = word / quoted / duration "ago"   ; `*` in an unquoted word is a wildcard
 */
export const parseFilter = (text: string): FilterNode => {
	const reader = createReader(tokenizeFilter(text));
	if (reader.peek().kind === 'end') {
		return {kind: 'all'};
	}
	const node = parseEither(reader, 1);
	const rest = reader.peek();
	if (rest.kind !== 'end') {
		throw filterError('APPLIANCE_FILTER_SYNTAX', rest.column, `${JSON.stringify(rest.text)} does not belong here.`);
	}
	return node;
};

type Reader = {
	readonly peek: (ahead?: number) => FilterToken;
	readonly next: () => FilterToken;
	readonly isWord: (text: string, ahead?: number) => boolean;
	/** Counts one term towards the limit. */
	readonly countTerm: (column: number) => void;
};

const createReader = (tokens: readonly FilterToken[]): Reader => {
	let index = 0;
	let terms = 0;
	const peek = (ahead = 0): FilterToken =>
		tokens[Math.min(index + ahead, tokens.length - 1)] ?? {kind: 'end', text: '', column: 1};
	return {
		peek,
		next: () => {
			const token = peek();
			index += 1;
			return token;
		},
		isWord: (text, ahead = 0) => peek(ahead).kind === 'word' && peek(ahead).text.toLowerCase() === text,
		countTerm: (column) => {
			terms += 1;
			if (terms > filterTermsMax) {
				throw filterError('APPLIANCE_FILTER_TOO_MANY_TERMS', column, `A filter has at most ${filterTermsMax} terms.`);
			}
		},
	};
};

const join = (kind: 'and' | 'or', nodes: readonly FilterNode[]): FilterNode => {
	const [first] = nodes;
	return nodes.length === 1 && first !== undefined ? first : {kind, nodes};
};

const parseEither = (reader: Reader, depth: number): FilterNode => {
	const nodes = [parseBoth(reader, depth)];
	while (reader.isWord('or')) {
		reader.next();
		nodes.push(parseBoth(reader, depth));
	}
	return join('or', nodes);
};

const parseBoth = (reader: Reader, depth: number): FilterNode => {
	const nodes = [parseUnary(reader, depth)];
	for (;;) {
		const {kind} = reader.peek();
		if (reader.isWord('and')) {
			reader.next();
		} else if (kind === 'end' || kind === 'close' || kind === 'comma' || reader.isWord('or')) {
			return join('and', nodes);
		}
		nodes.push(parseUnary(reader, depth));
	}
};

const parseUnary = (reader: Reader, depth: number): FilterNode => {
	const token = reader.peek();
	if (depth > filterDepthMax) {
		throw filterError('APPLIANCE_FILTER_TOO_DEEP', token.column, `A filter nests at most ${filterDepthMax} deep.`);
	}
	if (reader.isWord('not')) {
		reader.next();
		return {kind: 'not', node: parseUnary(reader, depth + 1)};
	}
	if (token.kind === 'open') {
		reader.next();
		const node = parseEither(reader, depth + 1);
		expectClose(reader, token);
		return node;
	}
	return parseTerm(reader);
};

const expectClose = (reader: Reader, open: FilterToken): void => {
	const token = reader.next();
	if (token.kind !== 'close') {
		throw filterError(
			'APPLIANCE_FILTER_SYNTAX',
			token.column,
			`The parenthesis of column ${open.column} is not closed here.`,
		);
	}
};

const parseTerm = (reader: Reader): FilterNode => {
	const token = reader.next();
	reader.countTerm(token.column);
	if (token.kind === 'quoted') {
		return {kind: 'search', text: token.text};
	}
	if (token.kind !== 'word' || ['and', 'or'].includes(token.text.toLowerCase())) {
		const what = token.kind === 'end' ? 'The filter ends' : `${JSON.stringify(token.text)} stands`;
		throw filterError('APPLIANCE_FILTER_SYNTAX', token.column, `${what} where a comparison or a word is expected.`);
	}
	const negated = reader.isWord('not') && reader.isWord('in', 1);
	if ((negated || reader.isWord('in')) && reader.peek(negated ? 2 : 1).kind === 'open') {
		const node = parseMembers(reader, {token, negated});
		return negated ? {kind: 'not', node} : node;
	}
	if (reader.peek().kind === 'operator') {
		const operator = reader.next();
		return parseComparison({
			field: fieldOf(token),
			operator: operator.text as FilterOperator,
			operatorColumn: operator.column,
			...parseValue(reader),
		});
	}
	return {kind: 'search', text: token.text};
};

const fieldOf = ({text, column}: FilterToken): FilterField => {
	if (!Object.hasOwn(filterFields, text)) {
		throw filterError(
			'APPLIANCE_FILTER_UNKNOWN_FIELD',
			column,
			`There is no field ${JSON.stringify(text)}; there are ${filterFieldNames.join(', ')}.`,
		);
	}
	return text as FilterField;
};

const parseValue = (reader: Reader): {readonly value: FilterToken; readonly isAgo: boolean} => {
	const value = reader.next();
	if (value.kind !== 'word' && value.kind !== 'quoted') {
		throw filterError('APPLIANCE_FILTER_SYNTAX', value.column, 'A value is missing here.');
	}
	const isAgo = value.kind === 'word' && reader.isWord('ago');
	if (isAgo) {
		reader.next();
	}
	return {value, isAgo};
};

const parseMembers = (
	reader: Reader,
	{token, negated}: {readonly token: FilterToken; readonly negated: boolean},
): FilterNode => {
	const field = fieldOf(token);
	if (negated) {
		reader.next();
	}
	const operatorColumn = reader.next().column;
	const open = reader.next();
	const nodes: FilterNode[] = [];
	do {
		if (nodes.length > 0) {
			reader.next();
			reader.countTerm(reader.peek().column);
		}
		nodes.push(parseComparison({field, operator: '=', operatorColumn, ...parseValue(reader)}));
	} while (reader.peek().kind === 'comma');
	expectClose(reader, open);
	return join('or', nodes);
};
