import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import type {FetchContext} from '#ota/agent/fetch/fetch-context.ts';
import {type Body, judgeResponse, retryAfterMs} from '#ota/agent/fetch/judge-response.ts';
import {type RangeSet, subtractRanges, sumRanges} from '#ota/agent/fetch/range-set.ts';
import {requestBytes} from '#ota/agent/fetch/request-bytes.ts';

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
	const {part, limits, signal, logger} = context;
	const lacking = (): RangeSet => subtractRanges(part.missing(), except);
	let [failures, changes] = [0, 0];
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
			signal.throwIfAborted();
			if (!(error instanceof CodedError) || !error.retryable || hasCode(error, 'OTA_FAILED_ROOM')) {
				throw error;
			}
			logger.debug({err: error, url}, 'a range of the bundle did not come');
			failures = sumRanges(lacking()) < before ? 1 : failures + 1;
			if (hasCode(error, 'OTA_FETCH_CHANGED')) {
				changes += 1;
				part.discard();
			}
			if (failures > limits.retriesMax || changes > changesMax) {
				throw error;
			}
			await part.checkpointIfDue();
			await sleep(waitBefore(failures, error, context), {signal});
		}
	}
};

const waitBefore = (failures: number, error: CodedError, {limits, random, clock}: FetchContext): number => {
	const ownMs = backoffMs(failures - 1, {initialMs: limits.retryInitialMs, maxMs: limits.retryMaxMs, random});
	const askedMs = retryAfterMs(error.details['retryAfter'], clock.nowMs()) ?? 0;
	return Math.max(ownMs, Math.min(askedMs, limits.retryAfterMaxMs));
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
