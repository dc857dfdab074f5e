import {existsSync, watch} from 'node:fs';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {listTuners} from './kernel-tuner.ts';
import type {TunerFacts} from './tuner.ts';

/** udev makes several nodes of an adapter, one after the other, and then gives them to their group. */
const settleMs = 300;
/** inotify tells of folders that exist; one that was made and filled between two looks is seen by the next. */
const lookIntervalMs = 5000;

/**
 * The tuners of this machine now, and again whenever one has come or gone, until the signal aborts. By inotify, so that it
 * works where no udev runs.
 */
export async function* watchTuners(options: {
	readonly signal: AbortSignal;
	/** For tests: another folder than /dev/dvb, and what it means. */
	readonly directory?: string;
	readonly list?: () => Promise<readonly TunerFacts[]>;
}): AsyncGenerator<readonly TunerFacts[], undefined> {
	const {signal, directory = '/dev/dvb', list = listTuners} = options;
	let told: string | undefined;
	while (!signal.aborted) {
		// Watching begins before the look, so that nothing falls between.
		const changed = nextChange(directory, signal);
		const tuners = await list();
		const identity = JSON.stringify(tuners.map(({adapter, frontend}) => [adapter, frontend]));
		if (identity !== told) {
			told = identity;
			yield tuners;
		}
		await changed;
		await sleep(settleMs, undefined, {signal}).catch(() => undefined);
	}
	return undefined;
}

const nextChange = async (directory: string, signal: AbortSignal): Promise<void> => {
	const {promise, resolve} = Promise.withResolvers<void>();
	const watchers = [directory, path.dirname(directory)]
		.filter((folder) => existsSync(folder))
		.map((folder) =>
			// A folder that goes while it is watched is a change, too.
			watch(folder, {recursive: folder === directory, signal}, () => resolve()).on('error', () => resolve()),
		);
	const timer = AbortSignal.any([signal, AbortSignal.timeout(lookIntervalMs)]);
	timer.addEventListener('abort', () => resolve(), {once: true});
	await promise;
	for (const watcher of watchers) {
		watcher.close();
	}
};
