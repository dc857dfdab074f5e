import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {FetchContext} from '#ota/agent/fetch/fetch-context.ts';
import {retryAfterMs} from '#ota/agent/fetch/judge-response.ts';

/** How long one server is asked again. */
export type RequestPatience = {
	/** Waits before the next request; throws the error when there is to be none. */
	readonly afterFailure: (error: unknown, progress: {readonly gotOn: boolean}) => Promise<void>;
};

/** Patience ends with what will not pass by itself, and with too many failures in a row that brought nothing new. */
export const createPatience = (url: string, context: FetchContext): RequestPatience => {
	const {part, limits, signal, logger} = context;
	let failures = 0;
	return {
		afterFailure: async (error, {gotOn}) => {
			signal.throwIfAborted();
			if (!(error instanceof CodedError) || !error.retryable || hasCode(error, 'OTA_FAILED_ROOM')) {
				throw error;
			}
			logger.debug({err: error, url}, 'what was asked for did not come');
			failures = gotOn ? 1 : failures + 1;
			if (failures > limits.retriesMax) {
				throw error;
			}
			await part.checkpointIfDue();
			await sleep(waitBefore(failures, error, context), {signal});
		},
	};
};

const waitBefore = (failures: number, error: CodedError, {limits, random, clock}: FetchContext): number => {
	const ownMs = backoffMs(failures - 1, {initialMs: limits.retryInitialMs, maxMs: limits.retryMaxMs, random});
	const askedMs = retryAfterMs(error.details['retryAfter'], clock.nowMs()) ?? 0;
	return Math.max(ownMs, Math.min(askedMs, limits.retryAfterMaxMs));
};
