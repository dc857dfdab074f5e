import type {z} from 'zod';
import type {FieldProblem} from '#ota/contract/problem.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';

/** More than this is not told: who sent a thousand wrong fields reads no further. */
const fieldProblemsMax = 20;

/** What a part of a request means by its schema; refused with the names of the fields that do not fit. */
export const parseRequestPart = (place: FieldProblem['in'], schema: z.ZodType | undefined, value: unknown): unknown => {
	if (schema === undefined) {
		return undefined;
	}
	const unusable = findUnusable(value, {field: '', depth: 0});
	if (unusable !== undefined) {
		throw refused(place, [{in: place, ...unusable}]);
	}
	const parsed = schema.safeParse(value);
	if (parsed.success) {
		return parsed.data;
	}
	throw refused(
		place,
		parsed.error.issues.slice(0, fieldProblemsMax).map((issue) => fieldProblemOf(place, issue)),
	);
};

const refused = (place: FieldProblem['in'], errors: readonly FieldProblem[]): Error => {
	const [first] = errors;
	return apiError('OTA_API_INVALID', {
		status: 400,
		message: `The ${place}${first?.field ? ` field ${first.field}` : ''} was not understood: ${first?.message ?? 'it is wrong'}.`,
		errors,
	});
};

/** No schema of ours goes deeper, and what walks a value must come back. */
const depthMax = 32;

type Unusable = Pick<FieldProblem, 'field' | 'message'>;

/** What no schema can take: U+0000, which SQLite's text can hold and PostgreSQL's cannot, and nesting without end. */
const findUnusable = (
	value: unknown,
	{field, depth}: {readonly field: string; readonly depth: number},
): Unusable | undefined => {
	if (typeof value === 'string') {
		return value.includes('\0') ? {field, message: 'it holds the character U+0000'} : undefined;
	}
	if (typeof value !== 'object' || value === null) {
		return undefined;
	}
	if (depth >= depthMax) {
		return {field: field.slice(0, 256), message: `it is nested more than ${depthMax} times`};
	}
	for (const [name, inner] of Object.entries(value)) {
		const at = field === '' ? name : `${field}.${name}`;
		const found =
			findUnusable(name, {field, depth}) ?? findUnusable(inner, {field: at.slice(0, 256), depth: depth + 1});
		if (found !== undefined) {
			return found;
		}
	}
	return undefined;
};

const fieldProblemOf = (place: FieldProblem['in'], issue: z.core.$ZodIssue): FieldProblem => ({
	in: place,
	field: issue.path.map(String).join('.').slice(0, 256),
	message: issue.message.slice(0, 512),
});

/** `"7"` of If-Match as the edit version 7 (RFC 9110 section 13.1.1). A weak or foreign tag matches nothing. */
export const parseIfMatch = (header: string | undefined): number => {
	if (header === undefined || header.trim() === '') {
		throw apiError('OTA_API_IF_MATCH_REQUIRED', {
			status: 428,
			message: 'Send If-Match with the ETag of what you read, so that nobody overwrites what they never saw.',
		});
	}
	const matched = /^"(\d{1,15})"$/u.exec(header.trim());
	return matched?.[1] === undefined ? staleEditVersion : Number(matched[1]);
};

/** Edit versions begin at 1: no row ever has this one. */
const staleEditVersion = 0;
