import type {FleetConfig} from '#appliance/config/fleet-config-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {KeptUpdate} from '#ota/member/kept-update.ts';

const markTimeoutMs = 60_000;
const retryDelaysMs: readonly number[] = [1000, 5000, 15_000, 60_000, 300_000];

/**
 * Tells the boot loader that this boot was one. GRUB counts every boot of a slot as a try and takes the next slot after
 * three, so that an ordinary boot must give its try back, on a box that has never joined a fleet as well. A slot on trial is
 * not ours to judge: its update confirms it. The one from which it was installed is the way back, also while the update goes on.
 * Where what is kept of updates is lost, any slot may be on trial: a release that cannot use its disk is not to stay.
 */
export const keepBootedSlot = async (options: {
	readonly installer: FleetConfig['installer'];
	readonly kept: KeptUpdate;
	/** As the initrd tells it; else RAUC is asked. */
	readonly bootedSlot?: string | undefined;
	readonly logger: Logger;
	readonly signal: AbortSignal;
	readonly retryDelaysMs?: readonly number[];
}): Promise<'kept' | 'on-trial' | 'unknown' | 'not-marked'> => {
	const {installer, kept, bootedSlot, logger, signal} = options;
	if (installer.kind !== 'rauc') {
		return 'not-marked';
	}
	if (kept.lost !== undefined) {
		return 'unknown';
	}
	if (bootedSlot !== undefined && isOnTrial(kept, bootedSlot)) {
		return 'on-trial';
	}
	for (const delayMs of [0, ...(options.retryDelaysMs ?? retryDelaysMs)]) {
		try {
			await sleep(delayMs, {signal});
			// Loaded here: the role waits for whatever is loaded before it.
			const {openRaucBus} = await import('#ota/slot/rauc/rauc-bus.ts');
			const limit = AbortSignal.any([signal, AbortSignal.timeout(markTimeoutMs)]);
			using bus = await openRaucBus({address: installer.busAddress, signal: limit});
			const booted = (await bus.slots()).find(({state}) => state === 'booted');
			if (isOnTrial(kept, booted?.name)) {
				return 'on-trial';
			}
			await bus.mark('good', 'booted');
			return 'kept';
		} catch (error) {
			if (signal.aborted) {
				return 'not-marked';
			}
			logger.warn({err: error}, 'this boot cannot be told to the boot loader yet');
		}
	}
	logger.error('the boot loader was not told of this boot, and counts it as failed');
	return 'not-marked';
};

/** Whatever the agent has written down: a power cut may come before it knows that another slot is the next. */
const isOnTrial = ({trial}: KeptUpdate, booted: string | undefined): boolean =>
	trial !== undefined && trial.fromSlot !== booted;
