import {watch} from 'node:fs';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Catalogue} from '#headend/catalogue/catalogue.ts';
import {DirectoryScanner} from '#headend/catalogue/directory-scanner.ts';
import type {HeadendConfig} from '#headend/config-schema.ts';
import {runLoop} from '#headend/runner/run-loop.ts';
import {Wake} from '#headend/runner/wake.ts';

const firstLookMaxMs = 5000;

export type DirectorySource = AsyncDisposable & {
	/** Somebody found this object's file changed. */
	readonly look: (path: string) => void;
};

/**
 * Keeps the catalogue equal to a folder. The watch only wakes the scan: events get lost and folders move, so that what
 * counts is always what a full look finds. Ends with `signal` or its disposal.
 */
export const startDirectorySource = async (options: {
	readonly catalogue: Catalogue;
	readonly config: HeadendConfig;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly signal: AbortSignal;
}): Promise<DirectorySource> => {
	const {catalogue, config, clock, signal} = options;
	const logger = options.logger.child({component: 'directory'});
	const {directory, directorySettleMs, directoryRescanMs, directoryPriority, objectsMax} = config.catalogue;
	const wake = new Wake();
	const stop = new AbortController();
	const signals = AbortSignal.any([signal, stop.signal]);
	const scanner = new DirectoryScanner({
		catalogue,
		clock,
		logger,
		directory,
		objectBaseUri: config.operator.objectBaseUri,
		settleMs: directorySettleMs,
		priority: directoryPriority,
		filesMax: objectsMax,
		signal: signals,
	});
	if (directory === undefined) {
		scanner.clear();
		return {look: () => undefined, [Symbol.asyncDispose]: () => Promise.resolve()};
	}
	// The first look comes before the first plan, so that what does not fit is known before anything is sent; a folder that
	// takes long to read must not keep the box from answering.
	const firstLook = scanner
		.scan()
		.then(() => undefined)
		.catch((error: unknown) => logger.error({err: error, directory}, 'the folder cannot be read'));
	await Promise.race([firstLook, sleep(firstLookMaxMs, {signal: signals}).catch(() => undefined)]);
	const watcher = watchFolder(directory, () => wake.wake(), logger);
	const loop = runLoop({
		name: 'directory',
		wake,
		intervalMs: Math.min(directoryRescanMs, 2_147_483_647),
		signal: signals,
		logger,
		step: async () => {
			await firstLook;
			if ((await scanner.scan()).isSettling) {
				await wake.rest({durationMs: Math.max(100, directorySettleMs / 3), signal: signals});
			}
		},
	});
	return {
		look: () => wake.wake(),
		[Symbol.asyncDispose]: async () => {
			watcher?.close();
			stop.abort();
			await loop;
		},
	};
};

/** Without a watch (too many folders, a network disk) the rescan alone does it, later. */
const watchFolder = (directory: string, onChange: () => void, logger: Logger) => {
	try {
		const watcher = watch(directory, {recursive: true}, onChange);
		watcher.on('error', (error) =>
			logger.warn({err: error, directory}, 'the folder is no longer watched, only rescanned'),
		);
		return watcher;
	} catch (error) {
		logger.warn({directory}, `the folder is not watched, only rescanned: ${errorMessage(error)}`);
		return undefined;
	}
};
