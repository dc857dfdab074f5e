import {hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Fetcher} from '#pop-node/ingest/fetcher.ts';
import type {StoreEntry} from '#pop-node/store/catalogue-table.ts';
import type {ObjectStore} from '#pop-node/store/object-store.ts';

/** Entries looked at per round; those in flight or waiting for their retry are among them. */
const roundEntries = 256;
/** Looks again without being told to, for retries whose time has come and for what expires. */
const roundIntervalMs = 1000;
const retriesRememberedMax = 10_000;

export type DownloadOptions = {
	readonly fetcher: Fetcher;
	readonly store: ObjectStore;
	readonly downloadsMax: number;
	readonly retryDelayMinMs: number;
	readonly retryDelayMaxMs: number;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly signal: AbortSignal;
};

type Retry = {readonly attempt: number; readonly notBeforeMs: number};

/**
 * Downloads what the index knows and the disk lacks, the most important first. The queue is the index itself, so a
 * restart goes on where this process was killed.
 */
export const createDownloader = (options: DownloadOptions) => {
	const {fetcher, store, downloadsMax, clock, logger, signal} = options;
	const active = new Map<string, Promise<void>>();
	const retries = new Map<string, Retry>();
	let wake = Promise.withResolvers<void>();
	const notify = (): void => wake.resolve();

	const failed = (entry: StoreEntry, error: unknown): void => {
		if (signal.aborted) {
			return;
		}
		if (hasCode(error, 'POP_NODE_STORE_FULL', 'POP_NODE_OBJECT_TOO_LARGE')) {
			logger.warn({err: error, path: entry.path}, 'an object has no room here; it is fetched when it is asked for');
			store.table.skip(entry.path);
			return;
		}
		const attempt = (retries.get(entry.sha256)?.attempt ?? -1) + 1;
		const delayMs = backoffMs(attempt, {initialMs: options.retryDelayMinMs, maxMs: options.retryDelayMaxMs});
		if (retries.size >= retriesRememberedMax) {
			retries.clear();
		}
		retries.set(entry.sha256, {attempt, notBeforeMs: clock.monotonicMs() + delayMs});
		const odd = !hasCode(error, 'POP_NODE_HEADEND_UNREACHABLE', 'POP_NODE_OBJECT_CHANGED');
		logger[odd ? 'warn' : 'debug']({err: error, path: entry.path, attempt}, 'a download failed');
	};

	const download = async (entry: StoreEntry): Promise<void> => {
		try {
			await fetcher.fetch(entry, 'background');
			retries.delete(entry.sha256);
		} catch (error) {
			failed(entry, error);
		} finally {
			active.delete(entry.sha256);
			notify();
		}
	};

	const startWhatFits = (): void => {
		const nowMs = clock.monotonicMs();
		for (const entry of store.table.missing(clock.nowMs(), roundEntries)) {
			if (active.size >= downloadsMax) {
				return;
			}
			const retry = retries.get(entry.sha256);
			if (!active.has(entry.sha256) && (retry === undefined || retry.notBeforeMs <= nowMs)) {
				active.set(entry.sha256, download(entry));
			}
		}
	};

	return {
		notify,
		active: (): number => active.size,
		/** Resolves when nothing is written any more; abort first. */
		settled: async (): Promise<void> => {
			await Promise.all(active.values());
		},
		run: async (): Promise<void> => {
			while (!signal.aborted) {
				wake = Promise.withResolvers<void>();
				await store.removeExpired();
				startWhatFits();
				await Promise.race([wake.promise, sleep(roundIntervalMs, {signal}).catch(() => undefined)]);
			}
		},
	};
};
