import {CodedError} from '#appliance/error/coded-error.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';

/** A timer of Node holds at most so many milliseconds. */
const timerMsMax = 2 ** 31 - 1;

/**
 * Runs work that may hang, even deaf to its signal: then it is left behind, and the caller goes on with `OTA_DEADLINE`.
 */
export const withinDeadline = async <Result>(
	work: (signal: AbortSignal) => Promise<Result>,
	{what, timeoutMs, signal}: {readonly what: string; readonly timeoutMs: number; readonly signal: AbortSignal},
): Promise<Result> => {
	signal.throwIfAborted();
	const controller = new AbortController();
	const late = Promise.withResolvers<never>();
	const give = (reason: unknown): void => {
		controller.abort(reason);
		late.reject(reason);
	};
	const deadline = new CodedError<AgentErrorCode>('OTA_DEADLINE', {
		message: `${what} took longer than ${timeoutMs} ms.`,
		retryable: true,
	});
	const timer = setTimeout(give, Math.min(Math.max(timeoutMs, 0), timerMsMax), deadline);
	const onAbort = (): void => give(signal.reason);
	signal.addEventListener('abort', onAbort, {once: true});
	try {
		return await Promise.race([work(controller.signal), late.promise]);
	} finally {
		clearTimeout(timer);
		signal.removeEventListener('abort', onAbort);
	}
};
