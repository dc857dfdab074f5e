import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import type {FetchContext} from '#ota/agent/fetch/fetch-context.ts';
import {type Body, judgeResponse} from '#ota/agent/fetch/judge-response.ts';
import {type RangeSet, subtractRanges, sumRanges} from '#ota/agent/fetch/range-set.ts';
import {requestBytes} from '#ota/agent/fetch/request-bytes.ts';
import {createPatience} from '#ota/agent/fetch/request-patience.ts';

/** How often the bundle may be replaced under way before nobody believes it any more. */
const changesMax = 3;

/**
 * Fills the holes by range requests, each with `If-Range`, until there are none or the server is given up. Of what lies in
 * `except` nothing is asked for.
 */
export const fetchByHttps = async (
	url: string,
	context: FetchContext,
	{except = []}: {readonly except?: RangeSet} = {},
): Promise<void> => {
	const {part} = context;
	const patience = createPatience(url, context);
	const lacking = (): RangeSet => subtractRanges(part.missing(), except);
	let changes = 0;
	for (;;) {
		const holes = lacking();
		const [hole] = holes;
		if (hole === undefined) {
			return;
		}
		const before = sumRanges(holes);
		requireBudget(before, context);
		try {
			await requestHole(url, hole, context);
		} catch (error) {
			const gotOn = sumRanges(lacking()) < before;
			if (hasCode(error, 'OTA_FETCH_CHANGED')) {
				changes += 1;
				part.discard();
			}
			if (changes > changesMax) {
				throw error;
			}
			await patience.afterFailure(error, {gotOn});
		}
	}
};

/** What lacks must be affordable before the first byte is asked for: a bill is not run up for half a bundle. */
const requireBudget = (neededBytes: number, {part}: FetchContext): void => {
	if (neededBytes > part.budgetLeft()) {
		throw overBudget(
			`${neededBytes} bytes lack, and ${Math.max(0, part.budgetLeft())} of the order's budget are left.`,
		);
	}
};

export const overBudget = (message: string): CodedError<AgentErrorCode> =>
	new CodedError<AgentErrorCode>('OTA_FAILED_BUDGET', {message});

const requestHole = async (
	url: string,
	[from, to]: readonly [number, number],
	context: FetchContext,
): Promise<void> => {
	const {part, bundle, limits, signal} = context;
	const {entityTag} = part;
	const headers = {
		range: `bytes=${from}-${to - 1}`,
		...(entityTag === undefined ? {} : {'if-range': entityTag}),
	};
	let body: Body = {offset: from, length: 0, entityTag};
	let received = 0;
	await requestBytes(
		{url, headers, agent: context.httpsAgent(), limits, signal},
		({statusCode = 0, headers: answered}) => {
			body = judgeResponse({status: statusCode, headers: answered}, {from, to, sizeBytes: bundle.sizeBytes, entityTag});
			if (body.length > part.budgetLeft()) {
				throw overBudget('The server sends the whole bundle, and the order’s budget does not cover it.');
			}
			part.entityTag ??= body.entityTag;
		},
		async (bytes) => {
			part.count('unicast', bytes.length);
			const wanted = bytes.subarray(0, body.length - received);
			await writeMissing(part, body.offset + received, wanted);
			received += wanted.length;
			if (wanted.length < bytes.length) {
				throw invalid('The server sent more than it said.');
			}
		},
	);
	if (received < body.length) {
		throw invalid('The answer ended early.');
	}
};

const invalid = (message: string): CodedError<AgentErrorCode> =>
	new CodedError<AgentErrorCode>('OTA_FETCH_INVALID', {message, retryable: true});

/** Of a whole answer only what lacks is taken. */
const writeMissing = async (part: FetchContext['part'], offset: number, bytes: Uint8Array): Promise<void> => {
	for (const [from, to] of part.missing(offset, offset + bytes.length)) {
		await part.write(from, bytes.subarray(from - offset, to - offset));
	}
};
