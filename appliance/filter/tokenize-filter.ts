import {filterError} from '#appliance/filter/filter-error.ts';

/** Characters of a whole filter, and of one value. */
export const filterCharsMax = 2048;
export const filterValueCharsMax = 256;

export type FilterToken = {
	readonly kind: 'word' | 'quoted' | 'operator' | 'open' | 'close' | 'comma' | 'end';
	readonly text: string;
	/** Of its first character, from 1. */
	readonly column: number;
};

const space = /\s+/uy;
const operator = /!=|<=|>=|[=<>~]/uy;
const word = /[^\s()=<>!~,"]+/uy;
/** A backslash takes the next character as it is. */
const quoted = /"((?:[^"\\]|\\.)*)"/suy;

const punctuation = {'(': 'open', ')': 'close', ',': 'comma'} as const;

/** Splits a filter into tokens, the last of which is `end`. Linear in the text's length. */
export const tokenizeFilter = (text: string): readonly FilterToken[] => {
	if (text.length > filterCharsMax) {
		throw filterError(
			'APPLIANCE_FILTER_TOO_LONG',
			filterCharsMax + 1,
			`A filter has at most ${filterCharsMax} characters.`,
		);
	}
	const tokens: FilterToken[] = [];
	let index = 0;
	const take = (pattern: RegExp): RegExpExecArray | null => {
		pattern.lastIndex = index;
		const match = pattern.exec(text);
		index += match?.[0].length ?? 0;
		return match;
	};
	take(space);
	while (index < text.length) {
		const token = nextToken(text, index, take);
		if (token.text.length > filterValueCharsMax) {
			throw filterError(
				'APPLIANCE_FILTER_TOO_LONG',
				token.column,
				`A value has at most ${filterValueCharsMax} characters.`,
			);
		}
		tokens.push(token);
		take(space);
	}
	tokens.push({kind: 'end', text: '', column: text.length + 1});
	return tokens;
};

const nextToken = (text: string, index: number, take: (pattern: RegExp) => RegExpExecArray | null): FilterToken => {
	const column = index + 1;
	const character = text[index] ?? '';
	if (character in punctuation) {
		take(/[(),]/uy);
		return {kind: punctuation[character as keyof typeof punctuation], text: character, column};
	}
	if (character === '"') {
		const match = take(quoted);
		if (match === null) {
			throw filterError('APPLIANCE_FILTER_SYNTAX', column, 'This quotation mark is never closed.');
		}
		return {kind: 'quoted', text: (match[1] ?? '').replaceAll(/\\(.)/gsu, '$1'), column};
	}
	const found = take(operator);
	if (found !== null) {
		return {kind: 'operator', text: found[0], column};
	}
	const match = take(word);
	if (match === null) {
		throw filterError(
			'APPLIANCE_FILTER_SYNTAX',
			column,
			`${JSON.stringify(character)} does not belong here; put it in quotes.`,
		);
	}
	return {kind: 'word', text: match[0], column};
};
