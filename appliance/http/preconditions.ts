import type {IncomingHttpHeaders} from 'node:http';

export type Validators = {
	/** With its quotes, for example `"abc"`. */
	readonly entityTag?: string | undefined;
	/** Other tags that name the same bytes, for example those that another server in front of us writes. */
	readonly entityTagAliases?: readonly string[] | undefined;
	readonly lastModifiedMs?: number | undefined;
};

export type PreconditionAnswer = 'proceed' | 'not-modified' | 'failed';

/** Evaluates the preconditions of a GET or HEAD in the order of RFC 9110 section 13.2.2; If-Range is apart. */
export const evaluatePreconditions = (headers: IncomingHttpHeaders, validators: Validators): PreconditionAnswer => {
	const ifMatch = headers['if-match'];
	if (ifMatch !== undefined) {
		if (!listMatches(ifMatch, validators, {weak: false})) {
			return 'failed';
		}
	} else if (isLater(validators.lastModifiedMs, headers['if-unmodified-since'])) {
		return 'failed';
	}
	const ifNoneMatch = headers['if-none-match'];
	if (ifNoneMatch !== undefined) {
		return listMatches(ifNoneMatch, validators, {weak: true}) ? 'not-modified' : 'proceed';
	}
	return isLater(validators.lastModifiedMs, headers['if-modified-since']) === false ? 'not-modified' : 'proceed';
};

/** A Range counts only while If-Range still names these very bytes, by strong comparison (RFC 9110 section 13.1.5). */
export const ifRangeHolds = (headers: IncomingHttpHeaders, validators: Validators, nowMs: number): boolean => {
	const value = headers['if-range'];
	if (typeof value !== 'string') {
		return value === undefined;
	}
	if (value.startsWith('"')) {
		return tagsOf(validators).includes(value.trim());
	}
	const {lastModifiedMs} = validators;
	if (value.startsWith('W/') || lastModifiedMs === undefined) {
		return false;
	}
	// A date is strong only if the bytes cannot have changed again within the same second (RFC 9110 section 8.8.2.2).
	const modifiedMs = wholeSeconds(lastModifiedMs);
	return Date.parse(value) === modifiedMs && nowMs - modifiedMs > 1000;
};

const tagsOf = ({entityTag, entityTagAliases = []}: Validators): readonly string[] =>
	entityTag === undefined ? entityTagAliases : [entityTag, ...entityTagAliases];

const listMatches = (header: string, validators: Validators, {weak}: {readonly weak: boolean}): boolean => {
	if (header.trim() === '*') {
		return true;
	}
	const tags = tagsOf(validators);
	const asked = header.match(/(?:W\/)?"[^"]*"/gu) ?? [];
	return asked.some((tag) => tags.includes(weak ? tag.replace(/^W\//u, '') : tag));
};

const wholeSeconds = (ms: number): number => Math.floor(ms / 1000) * 1000;

/** Undefined when there is nothing to compare, so that a broken date is no precondition at all. */
const isLater = (lastModifiedMs: number | undefined, header: string | undefined): boolean | undefined => {
	const headerMs = Date.parse(header ?? '');
	return lastModifiedMs === undefined || Number.isNaN(headerMs) ? undefined : wholeSeconds(lastModifiedMs) > headerMs;
};
