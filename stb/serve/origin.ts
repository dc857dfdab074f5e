import type {IncomingMessage} from 'node:http';
import type {ObjectUri} from '#appliance/contract/object-uri.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import {askOrigin, asOriginError, type OriginAccess, type OriginStats} from '#stb/serve/ask-origin.ts';
import {fetchOriginRange, type OriginRange} from '#stb/serve/fetch-origin-range.ts';
import {createOriginBases} from '#stb/serve/origin-bases.ts';
import {createOriginClient} from '#stb/serve/request-origin.ts';
import {type OriginLimits, type OriginOptions, originLimits} from '#stb/serve/serve-options.ts';
import {startTransfer, type Transfer} from '#stb/serve/transfer.ts';

/** Remembered absences; the oldest is forgotten first. */
const negativesMax = 1000;

export type Origin = AsyncDisposable & {
	readonly limits: OriginLimits;
	/** Whether the operator's path covers this URI; nothing else is ever asked for. */
	readonly covers: (uri: string) => boolean;
	/** The fetch under way for this URI, or a new one. @throws CodedError HTTP_NOT_FOUND, HTTP_UNAVAILABLE */
	readonly fetch: (uri: ObjectUri, options?: {readonly ahead?: boolean}) => Transfer;
	readonly fetching: (uri: string) => boolean;
	/** Resolves when no fetch of this URI is under way. */
	readonly settled: (uri: string) => Promise<void>;
	/** A waiting player holds the transfer; the last one to leave may end it. */
	readonly hold: (transfer: Transfer) => Disposable;
	/** A range by itself, without keeping it. */
	readonly fetchRange: (range: OriginRange) => AsyncGenerator<Buffer, void, void>;
	/** The answer to a player's own request, for an object that the box has no room for. */
	readonly pass: (options: {
		readonly uri: string;
		readonly headers: Readonly<Record<string, string>>;
		readonly signal: AbortSignal;
	}) => Promise<IncomingMessage>;
	readonly stats: () => Readonly<OriginStats> & {readonly prefetched: number};
};

type Running = {readonly transfer: Transfer; readonly abort: AbortController; readonly ahead: boolean; readers: number};

/** The terrestrial way: one fetch per object, however many players wait for it. */
export const createOrigin = (
	options: OriginOptions & {
		readonly cache: ObjectCache;
		readonly logger: Logger;
		readonly clock?: Clock;
		readonly random?: () => number;
	},
): Origin => {
	const {cache, logger, clock = systemClock, random = Math.random} = options;
	const limits = {...originLimits, ...options.limits};
	const access: OriginAccess = {
		objectBaseUri: options.objectBaseUri,
		client: createOriginClient(),
		bases: createOriginBases({bases: options.baseUrls, monotonicMs: clock.monotonicMs, random}),
		limits,
		logger,
		stats: {requests: 0, bytes: 0, failures: 0},
	};
	const closing = new AbortController();
	const running = new Map<string, Running>();
	const absentUntilMs = new Map<string, number>();
	let prefetched = 0;

	const noteAbsent = (uri: string): void => {
		absentUntilMs.delete(uri);
		absentUntilMs.set(uri, clock.monotonicMs() + limits.negativeMs);
		const oldest = absentUntilMs.keys().next();
		if (absentUntilMs.size > negativesMax && oldest.done === false) {
			absentUntilMs.delete(oldest.value);
		}
	};
	const start = (uri: ObjectUri, ahead: boolean): Transfer => {
		const count = [...running.values()].filter((other) => !ahead || other.ahead).length;
		if (count >= (ahead ? limits.prefetchesMax : limits.transfersMax) || closing.signal.aborted) {
			throw new CodedError('HTTP_UNAVAILABLE', {
				message: 'The box fetches as much as it can at a time; try again shortly.',
				retryable: true,
			});
		}
		const abort = new AbortController();
		const signal = AbortSignal.any([abort.signal, closing.signal]);
		const transfer = startTransfer(uri, {access, cache, clock, signal});
		running.set(uri, {transfer, abort, ahead, readers: 0});
		prefetched += ahead ? 1 : 0;
		transfer.facts.catch((error: unknown) => hasCode(error, 'HTTP_NOT_FOUND') && noteAbsent(uri));
		void transfer.done.then(() => running.delete(uri));
		return transfer;
	};

	return {
		limits,
		covers: (uri) => uri.startsWith(options.objectBaseUri),
		fetch: (uri, {ahead = false} = {}) => {
			if (!uri.startsWith(options.objectBaseUri) || (absentUntilMs.get(uri) ?? 0) > clock.monotonicMs()) {
				throw new CodedError('HTTP_NOT_FOUND', {message: 'There is no such object.'});
			}
			return running.get(uri)?.transfer ?? start(uri, ahead);
		},
		fetching: (uri) => running.has(uri),
		settled: async (uri) => {
			await running.get(uri)?.transfer.done;
		},
		hold: (transfer) => {
			const entry = running.get(transfer.uri);
			if (entry?.transfer !== transfer) {
				return {[Symbol.dispose]: () => undefined};
			}
			return holdReader(entry, limits);
		},
		fetchRange: ({signal, ...range}) =>
			fetchOriginRange(access, {...range, signal: AbortSignal.any([signal, closing.signal])}),
		pass: async ({uri, headers, signal}) => {
			const {response} = await askOrigin(access, {
				uri,
				headers,
				accept: ({statusCode}) => statusCode === 200 || statusCode === 206 || statusCode === 416,
				signal: AbortSignal.any([signal, closing.signal]),
			});
			return response;
		},
		stats: () => ({...access.stats, prefetched}),
		[Symbol.asyncDispose]: async () => {
			closing.abort(asOriginError(undefined));
			await Promise.all([...running.values()].map(({transfer}) => transfer.done));
			access.client[Symbol.dispose]();
		},
	};
};

const holdReader = (entry: Running, limits: OriginLimits): Disposable => {
	if (entry.readers >= limits.readersPerTransferMax) {
		throw new CodedError('HTTP_UNAVAILABLE', {message: 'Too many players wait for this object.', retryable: true});
	}
	entry.readers += 1;
	let held = true;
	return {
		[Symbol.dispose]: () => {
			if (!held) {
				return;
			}
			held = false;
			entry.readers -= 1;
			if (entry.readers === 0 && !entry.ahead) {
				void entry.transfer.facts.then(
					(facts) => {
						const leftBytes = facts === 'unchanged' ? 0 : facts.sizeBytes - entry.transfer.receivedBytes();
						// What is nearly here is worth keeping for the next one who asks.
						if (entry.readers === 0 && leftBytes > limits.lingerBytes) {
							entry.abort.abort(new CodedError('HTTP_UNAVAILABLE', {message: 'Nobody waits for this any more.'}));
						}
					},
					() => undefined,
				);
			}
		},
	};
};
