import {NativeError} from '../native-error.ts';
import type {Reading, ReadingStats} from './tuner.ts';

/** The end of a reading that its source fills: what came waits here until somebody asks. */
export type ReadingSource = {
	readonly reading: Reading<Buffer>;
	readonly push: (item: Buffer) => void;
	/** Nothing comes any more; what waits is still given, then the error, if there is one. */
	readonly end: (error?: unknown) => void;
};

/** Makes an async iterator of what a source pushes. */
export const createReading = (options: {
	readonly signal: AbortSignal;
	/** What may wait; beyond it items are dropped and counted. */
	readonly queueBytesMax: number;
	readonly stats: () => ReadingStats;
	/** Runs once, when nobody will ask any more. */
	readonly onClose: () => Promise<void> | undefined;
}): ReadingSource => {
	const {signal, queueBytesMax} = options;
	const waiting: Buffer[] = [];
	let waitingBytes = 0;
	let droppedBytes = 0;
	let wake: (() => void) | undefined;
	let end: {readonly error?: unknown} | undefined;
	let closed: Promise<void> | undefined;
	const finish = (error?: unknown): void => {
		end ??= error === undefined ? {} : {error};
		wake?.();
	};
	const abort = (): void => {
		waiting.length = 0;
		finish(signal.reason);
	};
	const close = (): Promise<void> => {
		if (closed === undefined) {
			signal.removeEventListener('abort', abort);
			waiting.length = 0;
			finish();
			closed = options.onClose() ?? Promise.resolve();
		}
		return closed;
	};
	signal.addEventListener('abort', abort, {once: true});
	if (signal.aborted) {
		abort();
	}
	const next = async (): Promise<IteratorResult<Buffer, undefined>> => {
		if (wake !== undefined) {
			throw new NativeError('NATIVE_DVB_ARGUMENT', 'a reading gives one item at a time');
		}
		if (waiting.length === 0 && end === undefined) {
			const {promise, resolve} = Promise.withResolvers<void>();
			wake = resolve;
			await promise;
			wake = undefined;
		}
		const item = waiting.shift();
		if (item !== undefined) {
			waitingBytes -= item.length;
			return {done: false, value: item};
		}
		const error = end?.error;
		end = {};
		await close();
		if (error !== undefined) {
			throw error;
		}
		return {done: true, value: undefined};
	};
	const reading: Reading<Buffer> = {
		next,
		return: async () => {
			await close();
			return {done: true, value: undefined};
		},
		stats: () => {
			const stats = options.stats();
			return {...stats, dropped: stats.dropped + droppedBytes};
		},
		[Symbol.asyncIterator]: () => reading,
		[Symbol.asyncDispose]: close,
	};
	return {
		reading,
		push: (item) => {
			if (end !== undefined) {
				return;
			}
			if (waitingBytes + item.length > queueBytesMax) {
				droppedBytes += item.length;
				return;
			}
			waiting.push(item);
			waitingBytes += item.length;
			wake?.();
		},
		end: finish,
	};
};
