import type {Logger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Wake} from '#headend/runner/wake.ts';

/** A step that fails is logged and tried again after this, so that a fault that stays does not fill the log. */
const afterFailureMs = 1000;

/**
 * Runs `step` whenever it is woken, and at least every `intervalMs`, one at a time, until the signal aborts. A step that
 * throws is logged and does not end the loop: one bad object must not stop the carousel.
 */
export const runLoop = async (options: {
	readonly name: string;
	readonly wake: Wake;
	readonly intervalMs: number;
	readonly signal: AbortSignal;
	readonly logger: Logger;
	readonly step: () => Promise<void> | void;
}): Promise<void> => {
	const {name, wake, intervalMs, signal, logger, step} = options;
	while (!signal.aborted) {
		try {
			await step();
		} catch (error) {
			if (signal.aborted) {
				return;
			}
			logger.error({err: error, loop: name}, 'a step of the carousel failed');
			await sleep(afterFailureMs, {signal}).catch(() => undefined);
		}
		await wake.wait({timeoutMs: intervalMs, signal}).catch(() => undefined);
	}
};
