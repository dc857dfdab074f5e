import {errorMessage} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';

/** One question to the slot that was booted. It is asked again until it passes or the deadline is there. */
export type ConfirmCheck = {
	readonly name: string;
	/** A `must` that fails falls back; of the `quorum` ones, so many as ordered may fail; `optional` is only told. */
	readonly weight: 'must' | 'quorum' | 'optional';
	/** How long it may take to pass, within the order's deadline. */
	readonly graceMs: number;
	/** Throws (or hangs) when it does not hold yet. */
	readonly check: (options: {readonly signal: AbortSignal}) => Promise<void>;
};

export type CheckVerdict =
	| {readonly kind: 'passed'; readonly missed: readonly string[]}
	| {readonly kind: 'failed'; readonly detail: string};

const intervalMs = 500;
const askTimeoutMs = 15_000;

/**
 * Asks all checks at once, each until it passes or its grace or the deadline ends. All `must` and more than half of the
 * `quorum` ones have to pass. Settles as soon as that is decided; optional ones are not waited for.
 */
export const runChecks = async (
	checks: readonly ConfirmCheck[],
	{deadlineMs, signal}: {readonly deadlineMs: number; readonly signal: AbortSignal},
): Promise<CheckVerdict> => {
	const stop = new AbortController();
	const outcomes = new Map<string, string | undefined>();
	try {
		const bounded = AbortSignal.any([signal, stop.signal]);
		const asked = checks.map(async (check) => {
			outcomes.set(check.name, await askUntil(check, Math.min(check.graceMs, deadlineMs), bounded));
		});
		const needed = checks.flatMap((check, index) => (check.weight === 'optional' ? [] : [asked[index]]));
		await Promise.all(needed);
		signal.throwIfAborted();
		return judge(checks, outcomes);
	} finally {
		stop.abort();
	}
};

const judge = (checks: readonly ConfirmCheck[], outcomes: ReadonlyMap<string, string | undefined>): CheckVerdict => {
	const failed = checks.filter(({name}) => !outcomes.has(name) || outcomes.get(name) !== undefined);
	const must = failed.filter(({weight}) => weight === 'must');
	const quorum = checks.filter(({weight}) => weight === 'quorum');
	const quorumFailed = failed.filter(({weight}) => weight === 'quorum');
	const lost = quorum.length > 0 && (quorum.length - quorumFailed.length) * 2 <= quorum.length;
	const guilty = lost ? [...must, ...quorumFailed] : must;
	return guilty.length === 0
		? {kind: 'passed', missed: failed.map(({name}) => name)}
		: {kind: 'failed', detail: guilty.map(({name}) => `${name}: ${outcomes.get(name)}`).join('; ')};
};

/** Undefined when it passed; else what it said last. A check that ignores its signal is left behind. */
const askUntil = async (check: ConfirmCheck, forMs: number, signal: AbortSignal): Promise<string | undefined> => {
	const ends = AbortSignal.timeout(forMs);
	const bounded = AbortSignal.any([signal, ends]);
	let last = `gave no answer within ${forMs} ms`;
	while (!bounded.aborted) {
		try {
			await raced(check.check, AbortSignal.any([bounded, AbortSignal.timeout(askTimeoutMs)]));
			return undefined;
		} catch (error) {
			if (!bounded.aborted) {
				last = errorMessage(error);
				await sleep(intervalMs, {signal: bounded}).catch(() => undefined);
			}
		}
	}
	return last;
};

const raced = async (ask: ConfirmCheck['check'], signal: AbortSignal): Promise<void> => {
	const aborted = Promise.withResolvers<never>();
	const onAbort = (): void => aborted.reject(signal.reason);
	signal.addEventListener('abort', onAbort, {once: true});
	try {
		await Promise.race([ask({signal}), aborted.promise]);
	} finally {
		signal.removeEventListener('abort', onAbort);
	}
};
