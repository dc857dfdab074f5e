import {rmSync} from 'node:fs';

const exitCodeInterrupted = 130;

/**
 * A second Ctrl-C does not wait for the boxes to stop: their process groups are killed, what the demo keeps is removed,
 * and the process ends. Returns what takes the listener away again.
 */
export const endAtOnceWhenToldAgain = (options: {
	readonly signal: AbortSignal;
	readonly pids: () => readonly number[];
	readonly stateDirectory: string;
}): Disposable => {
	const {signal, pids, stateDirectory} = options;
	const end = (): void => {
		for (const pid of pids()) {
			try {
				process.kill(-pid, 'SIGKILL');
			} catch {
				// It has ended by itself.
			}
		}
		rmSync(stateDirectory, {recursive: true, force: true, maxRetries: 10, retryDelay: 100});
		process.exit(exitCodeInterrupted);
	};
	const arm = (): void => {
		process.once('SIGINT', end);
		process.once('SIGTERM', end);
	};
	signal.addEventListener('abort', arm, {once: true});
	return {
		[Symbol.dispose]: () => {
			signal.removeEventListener('abort', arm);
			process.off('SIGINT', end);
			process.off('SIGTERM', end);
		},
	};
};
