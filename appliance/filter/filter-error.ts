import {CodedError} from '#appliance/error/coded-error.ts';

export const filterErrorCodes = [
	'FILTER_TOO_LONG',
	'FILTER_TOO_DEEP',
	'FILTER_TOO_MANY_TERMS',
	'FILTER_SYNTAX',
	'FILTER_UNKNOWN_FIELD',
	'FILTER_WRONG_OPERATOR',
	'FILTER_WRONG_VALUE',
] as const;
export type FilterErrorCode = (typeof filterErrorCodes)[number];

/** Thrown by the parser. `details.column` is the first character, from 1, of what is wrong. */
export const filterError = (code: FilterErrorCode, column: number, message: string): CodedError<FilterErrorCode> =>
	new CodedError<FilterErrorCode>(code, {message: `${message} (column ${column})`, details: {column}});
