import {CodedError} from '#appliance/error/coded-error.ts';

export const filterErrorCodes = [
	'APPLIANCE_FILTER_TOO_LONG',
	'APPLIANCE_FILTER_TOO_DEEP',
	'APPLIANCE_FILTER_TOO_MANY_TERMS',
	'APPLIANCE_FILTER_SYNTAX',
	'APPLIANCE_FILTER_UNKNOWN_FIELD',
	'APPLIANCE_FILTER_WRONG_OPERATOR',
	'APPLIANCE_FILTER_WRONG_VALUE',
] as const;
export type FilterErrorCode = (typeof filterErrorCodes)[number];

/** Thrown by the parser. `details.column` is the first character, from 1, of what is wrong. */
export const filterError = (code: FilterErrorCode, column: number, message: string): CodedError<FilterErrorCode> =>
	new CodedError<FilterErrorCode>(code, {message: `${message} (column ${column})`, details: {column}});
