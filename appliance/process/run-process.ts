import {flushCompileCache} from 'node:module';
import {constants} from 'node:os';
import {errorCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {exitCode} from '#appliance/process/exit-code.ts';
import {sleep} from '#appliance/time/sleep.ts';

export type RunProcessOptions = {
	readonly logger: Logger;
	/** After an order to stop, disposal may take this long; then the process ends by force. */
	readonly stopTimeoutMs: number;
	/** Called once, when the order to stop has come and before disposal begins. */
	readonly onStopping?: () => void;
	/** Starts what the process is for. What it returns is disposed when the signal aborts. */
	readonly start: (options: {
		readonly signal: AbortSignal;
		readonly stop: (reason: string) => void;
	}) => Promise<AsyncDisposable>;
};

const keepAliveIntervalMs = 3_600_000;
/** After the start: what is loaded only then is there by now. */
const lateModulesMs = 60_000;
const stopSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * The life of one of our processes: start, wait for an order to stop, dispose, exit. A second order, or a disposal that
 * takes too long, ends it at once; whatever nobody caught is logged as fatal and ends it with code 70, because a process
 * in an unknown state must not go on (the supervisor starts a new one).
 */
export const runProcess = async (options: RunProcessOptions): Promise<never> => {
	const {logger, stopTimeoutMs, start, onStopping} = options;
	const controller = new AbortController();
	const {signal} = controller;
	const stopped = Promise.withResolvers<void>();

	const stop = (reason: string): void => {
		if (signal.aborted) {
			return;
		}
		logger.info({reason}, 'stopping');
		controller.abort(new DOMException(`stopped by ${reason}`, 'AbortError'));
		stopped.resolve();
		onStopping?.();
		void forceExitAfter(stopTimeoutMs, logger);
	};
	for (const name of stopSignals) {
		process.on(name, () => {
			if (signal.aborted) {
				logger.warn({signal: name}, 'stopped by force: a second order came before the first was done');
				process.exit(128 + constants.signals[name]);
			}
			stop(name);
		});
	}
	const die = (error: unknown): never => {
		logger.fatal({err: error}, 'nobody handled this error');
		process.exit(exitCode.software);
	};
	// A process that only waits for a signal has an empty event loop, which would end it.
	setInterval(() => undefined, keepAliveIntervalMs);
	process.on('uncaughtException', die);
	process.on('unhandledRejection', die);

	try {
		await using _running = await start({signal, stop});
		keepCompiled();
		await stopped.promise;
	} catch (error) {
		if (!(signal.aborted && isAbort(error, signal))) {
			logger.fatal({err: error, code: errorCode(error)}, signal.aborted ? 'did not stop cleanly' : 'could not start');
			process.exit(errorCode(error)?.startsWith('APPLIANCE_CONFIG_') ? exitCode.configuration : exitCode.failure);
		}
	}
	logger.info('stopped');
	process.exit(exitCode.success);
};

/** What V8 made of our source is else kept at the end, which a box whose plug is pulled never reaches. */
const keepCompiled = (): void => {
	flushCompileCache();
	setTimeout(flushCompileCache, lateModulesMs).unref();
};

const isAbort = (error: unknown, signal: AbortSignal): boolean =>
	error === signal.reason ||
	(error instanceof Error && (error.name === 'AbortError' || errorCode(error) === 'ABORT_ERR'));

const forceExitAfter = async (timeoutMs: number, logger: Logger): Promise<void> => {
	await sleep(timeoutMs);
	logger.error({timeoutMs}, 'stopped by force: it did not stop in time');
	process.exit(exitCode.stopTimeout);
};
