import type {SlotReport} from '#appliance/contract/fleet/reported-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {SlotInstaller} from '#ota/slot/slot-installer.ts';

/** For one question to the installer. */
export const slotsTimeoutMs = 30_000;
const retryDelaysMs: readonly number[] = [1000, 3000, 10_000];

/**
 * The slots of a box that starts. Its daemon may take longer to come up than one question waits; a box that believed the first
 * silence would report itself without its slots, and go on with its update a minute later than need be. Whoever is not there at
 * all says so at once, and then this takes as long as its delays.
 * @throws whatever the last question met, or the signal's reason
 */
export const readSlots = async (
	installer: Pick<SlotInstaller, 'slots'>,
	options: {
		readonly logger: Logger;
		readonly signal: AbortSignal;
		readonly timeoutMs?: number;
		readonly retryDelaysMs?: readonly number[];
	},
): Promise<readonly SlotReport[]> => {
	const {logger, signal, timeoutMs = slotsTimeoutMs} = options;
	const ask = () => installer.slots({signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])});
	for (const delayMs of options.retryDelaysMs ?? retryDelaysMs) {
		try {
			return await ask();
		} catch (error) {
			signal.throwIfAborted();
			logger.warn({err: error}, 'the slots cannot be read yet');
		}
		await sleep(delayMs, {signal});
	}
	return await ask();
};
