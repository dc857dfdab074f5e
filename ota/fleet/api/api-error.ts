import {CodedError} from '#appliance/error/coded-error.ts';
import type {FieldProblem} from '#ota/contract/problem.ts';

export type ApiErrorCode =
	| 'OTA_API_ANSWER_INVALID'
	| 'OTA_API_BODY_INVALID'
	| 'OTA_API_BODY_TOO_LARGE'
	| 'OTA_API_BODY_TOO_SLOW'
	| 'OTA_API_CURSOR_INVALID'
	| 'OTA_API_EDIT_CONFLICT'
	| 'OTA_API_FORBIDDEN'
	| 'OTA_API_IF_MATCH_REQUIRED'
	| 'OTA_API_INVALID'
	| 'OTA_API_METHOD_UNKNOWN'
	| 'OTA_API_NOT_FOUND'
	| 'OTA_API_ORIGIN_FOREIGN'
	| 'OTA_API_PASSWORD_CHANGE_REQUIRED'
	| 'OTA_API_TOO_MANY_REQUESTS'
	| 'OTA_API_TYPE_UNSUPPORTED'
	| 'OTA_API_UNAUTHENTICATED';

export type ApiErrorOptions = {
	readonly status: number;
	readonly message: string;
	readonly errors?: readonly FieldProblem[];
	readonly retryAfterSeconds?: number;
	readonly cause?: unknown;
};

/** A refusal that the API answers as problem+json with this status, code and sentence. Any area's codes may be given. */
export const apiError = <Code extends string = ApiErrorCode>(
	code: Code,
	{status, message, errors, retryAfterSeconds, cause}: ApiErrorOptions,
): CodedError<Code> =>
	new CodedError(code, {
		message,
		cause,
		details: {
			status,
			...(errors === undefined ? {} : {errors}),
			...(retryAfterSeconds === undefined ? {} : {retryAfterSeconds}),
		},
		retryable: retryAfterSeconds !== undefined,
	});

export const notFound = (what: string): CodedError =>
	apiError('OTA_API_NOT_FOUND', {status: 404, message: `There is no ${what} of this name.`});

/** For handlers whose update found another edit version than If-Match named. */
export const editConflict = (): CodedError =>
	apiError('OTA_API_EDIT_CONFLICT', {
		status: 412,
		message: 'Somebody changed it since it was read: read it again and decide anew.',
	});
