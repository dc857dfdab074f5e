import {once} from 'node:events';
import {type FileHandle, open} from 'node:fs/promises';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {FluteReceiver} from '#native/flute/receiver.ts';
import type {FluteRange} from '#native/flute/receiver-event.ts';
import {type ArrivalRecord, isOpen} from '#stb/assemble/arrival.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import type {StbConfig} from '#stb/config-schema.ts';
import type {StbErrorCode} from '#stb/error-code.ts';

export type ArrivalReaderParts = {
	readonly receiver: Pick<FluteReceiver, 'available'>;
	readonly cache: Pick<ObjectCache, 'open'>;
	readonly config: StbConfig['repair'];
	readonly clock: Clock;
	/** Fetches what a player waits for; never rejects. Absent: nothing can be repaired. */
	readonly fillNow: ((range: FluteRange, signal: AbortSignal) => Promise<void>) | undefined;
};

export type ArrivalRead = {
	/** First and last byte, inclusive. */
	readonly start: number;
	readonly end: number;
	readonly signal: AbortSignal;
};

const pieceBytesMax = 262_144;
/** The receiver's progress wakes a waiting reader; this bounds what a batched event may delay it. */
const pollMs = 25;
/** How far behind a hole is looked for later bytes; beyond it patience decides. */
const frontierWindowBytes = 8 * 1024 * 1024;

/**
 * Yields a range of an object while it arrives: what is complete at once, the rest as it comes, in order. Bytes are
 * handed out only where the receiver says that they are there. A player that waits for what was lost has it fetched.
 */
export async function* readArrival(
	parts: ArrivalReaderParts,
	record: ArrivalRecord,
	{start, end, signal}: ArrivalRead,
): AsyncGenerator<Buffer> {
	await using opened = new AsyncDisposableStack();
	using stalled = watchStall(parts, record, signal);
	let handle: FileHandle | undefined;
	let position = start;
	while (position <= end) {
		signal.throwIfAborted();
		const ready = readyBytes(parts, record, position, end);
		if (ready > 0 && handle === undefined) {
			handle = await openArrival(parts, record);
			opened.defer(async () => await handle?.close());
		}
		if (ready > 0 && handle !== undefined) {
			const piece = Buffer.allocUnsafe(ready);
			const {bytesRead} = await handle.read(piece, 0, ready, position);
			if (bytesRead === 0) {
				throw gone(record);
			}
			position += bytesRead;
			stalled.moved();
			yield piece.subarray(0, bytesRead);
			stalled.moved();
		} else {
			stalled.look(position, end);
			await changed(record, signal);
		}
	}
}

/** How many bytes from `position` on are there; everything, once the object is whole. */
const readyBytes = ({receiver}: ArrivalReaderParts, record: ArrivalRecord, position: number, end: number): number => {
	const length = Math.min(end - position + 1, pieceBytesMax);
	if (record.state.kind === 'failed') {
		throw gone(record);
	}
	if (!isOpen(record)) {
		return length;
	}
	const [first] = receiver.available(record.id, {offset: position, length});
	return first?.offset === position ? first.length : 0;
};

const changed = async ({changes}: ArrivalRecord, signal: AbortSignal): Promise<void> => {
	using stop = disposableAbort(signal);
	await Promise.race([once(changes, 'change', {signal: stop.signal}), sleep(pollMs, {signal: stop.signal})]).catch(
		(error: unknown) => {
			signal.throwIfAborted();
			throw error;
		},
	);
};

const disposableAbort = (signal: AbortSignal): Disposable & {readonly signal: AbortSignal} => {
	const controller = new AbortController();
	return {signal: AbortSignal.any([signal, controller.signal]), [Symbol.dispose]: () => controller.abort()};
};

type StallWatch = Disposable & {moved(): void; look(position: number, end: number): void};

/**
 * Decides when waiting has been long enough. Where later bytes are there already the transmission has passed, and what
 * lacks was lost (or FEC brings it within a moment: hence a short wait); otherwise it may be just about to come. Once
 * bytes had to be fetched, those behind them are lost likely too: they are fetched without waiting, in growing pieces.
 */
const watchStall = (parts: ArrivalReaderParts, record: ArrivalRecord, signal: AbortSignal): StallWatch => {
	const {config, clock, fillNow, receiver} = parts;
	const controller = new AbortController();
	let sinceMs = clock.monotonicMs();
	let asking = false;
	let asked: {readonly doneMs: number; readonly bytes: number} | undefined;
	/** Where what is there ends, when there is anything behind `position`: only what lies before it is known to be lost. */
	const frontier = (position: number): number | undefined => {
		const length = Math.min(record.facts.object.transferLength - position, frontierWindowBytes);
		if (record.state.kind === 'repairing') {
			return position + length;
		}
		const last = receiver.available(record.id, {offset: position, length}).at(-1);
		return last === undefined ? undefined : last.offset + last.length;
	};
	const ask = async (position: number, end: number, bytesMax: number): Promise<void> => {
		asking = true;
		const range = {offset: position, length: Math.min(end - position, bytesMax)};
		await fillNow?.(range, AbortSignal.any([signal, controller.signal]));
		asked = {doneMs: clock.monotonicMs(), bytes: bytesMax};
		asking = false;
	};
	return {
		moved: () => {
			sinceMs = clock.monotonicMs();
		},
		look: (position, end) => {
			const nowMs = clock.monotonicMs();
			if (nowMs - sinceMs > config.waitingTimeoutMs) {
				throw gone(record);
			}
			if (asking || fillNow === undefined || !isOpen(record)) {
				return;
			}
			const follows = asked !== undefined && nowMs - asked.doneMs < config.waitingPatienceMs && sinceMs > asked.doneMs;
			const passedEnd = frontier(position);
			const patienceMs = passedEnd === undefined ? config.waitingPatienceMs : follows ? 0 : config.waitingStallMs;
			if (nowMs - sinceMs >= patienceMs) {
				const bytesMax = follows ? (asked?.bytes ?? 0) * 2 : config.waitingRequestBytes;
				void ask(position, Math.min(end + 1, passedEnd ?? end + 1), Math.min(bytesMax, config.requestBytesMax));
			}
		},
		[Symbol.dispose]: () => controller.abort(),
	};
};

/**
 * The part file keeps its inode when the cache adopts it, so a handle that is open stays good through completion. Between
 * completion and its place in the cache a file has no name that we know; then the caller looks again.
 */
const openArrival = async ({cache}: ArrivalReaderParts, record: ArrivalRecord): Promise<FileHandle | undefined> => {
	if (record.state.kind !== 'stored') {
		return await openIfThere(record.facts.object.path);
	}
	const cached = await cache.open(record.facts.uri);
	if (cached !== undefined && cached.object.sha256 === record.storedSha256) {
		return cached.handle;
	}
	// A newer version has taken its place already; its bytes are none of this answer's.
	await cached?.handle.close();
	throw gone(record);
};

const openIfThere = async (path: string): Promise<FileHandle | undefined> => {
	try {
		return await open(path, 'r');
	} catch (error) {
		if (hasCode(error, 'ENOENT')) {
			return undefined;
		}
		throw error;
	}
};

const gone = ({facts}: ArrivalRecord): CodedError<StbErrorCode> =>
	new CodedError<StbErrorCode>('STB_ARRIVAL_GONE', {
		message: 'This object’s transmission was given up while it was being read; ask again.',
		details: {uri: facts.uri},
		retryable: true,
	});
