import {setTimeout as delay} from 'node:timers/promises';

export type SleepOptions = {readonly signal?: AbortSignal | undefined};

/** Waits `durationMs`, or rejects at once with the signal's reason. The only timer wait of the project. */
export const sleep = async (durationMs: number, {signal}: SleepOptions = {}): Promise<void> => {
	try {
		await delay(durationMs, undefined, signal === undefined ? {} : {signal});
	} catch (error) {
		signal?.throwIfAborted();
		throw error;
	}
};
