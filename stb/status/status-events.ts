import {PassThrough} from 'node:stream';
import {sleep} from '#appliance/time/sleep.ts';

/** Pages that watch at the same time; a household has fewer. */
const watchersMax = 64;
const intervalMs = 1000;
/** A watcher that does not read is let go rather than buffered for. */
const unreadBytesMax = 1024 * 1024;

export type StatusEvents = AsyncDisposable & {
	/** A stream of server-sent events, one per second; undefined when too many watch already. */
	watch(): PassThrough | undefined;
};

/** Reads the status once per second for all who watch, and not at all while nobody does. */
export const createStatusEvents = ({read}: {readonly read: () => unknown}): StatusEvents => {
	const watchers = new Set<PassThrough>();
	const stop = new AbortController();
	let running: Promise<void> | undefined;
	const send = (watcher: PassThrough, data: string): void => {
		if (watcher.writableLength > unreadBytesMax) {
			watcher.destroy();
		} else {
			watcher.write(data);
		}
	};
	const frame = (): string => `data: ${JSON.stringify(read())}\n\n`;
	const run = async (): Promise<void> => {
		while (watchers.size > 0 && !stop.signal.aborted) {
			await sleep(intervalMs, {signal: stop.signal}).catch(() => undefined);
			try {
				const data = frame();
				for (const watcher of watchers) {
					send(watcher, data);
				}
			} catch {
				// Nobody waits for this loop; the pages come again, and are told by the answer why there is nothing to see.
				for (const watcher of watchers) {
					watcher.destroy();
				}
			}
		}
		running = undefined;
	};
	return {
		watch: () => {
			if (watchers.size >= watchersMax || stop.signal.aborted) {
				return undefined;
			}
			const first = frame();
			const watcher = new PassThrough();
			watchers.add(watcher);
			watcher.on('close', () => watchers.delete(watcher));
			watcher.on('error', () => watchers.delete(watcher));
			send(watcher, first);
			running ??= run();
			return watcher;
		},
		[Symbol.asyncDispose]: async () => {
			stop.abort();
			await running;
			for (const watcher of watchers) {
				watcher.end();
			}
		},
	};
};
