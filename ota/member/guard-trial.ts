import {errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {BootRecord} from '#ota/member/boot-cause.ts';
import {factorySlot} from '#ota/member/booted-slot.ts';
import {type KeptUpdate, readUpdate} from '#ota/member/kept-update.ts';

/** What an agent may take beside its checks: until the member is open, the slots are read, and one of them is marked. */
const marginMs = 15 * 60_000;
/** Where the order cannot be read; that of an order which names none (rollout-api.ts). */
const unknownConfirmMs = 30 * 60_000;
const rebootRetryMs = 60_000;
/** Of Node: a timer beyond it fires at once. */
const timerMaxMs = 2 ** 31 - 1;

/**
 * The dead man's switch of a slot that is on trial, or may be. Its update judges it; but where no agent comes to it, or none
 * comes to an end, the box reboots, so that the boot loader counts on and goes back after the third time.
 */
export const guardTrial = async (options: {
	readonly kept: KeptUpdate;
	/** Of the agent. */
	readonly directory: string;
	readonly stateLost: string | undefined;
	/** The slot that runs; undefined while nobody tells. */
	readonly booted: () => string | undefined;
	readonly boot: Pick<BootRecord, 'willReboot'>;
	readonly reboot: () => Promise<void>;
	readonly logger: Logger;
	readonly signal: AbortSignal;
	readonly marginMs?: number | undefined;
}): Promise<void> => {
	const {kept, boot, reboot, logger, signal} = options;
	const confirmMs = kept.trial?.job.order.deadlines.confirmMs ?? unknownConfirmMs;
	await sleep(Math.min(confirmMs + (options.marginMs ?? marginMs), timerMaxMs), {signal});
	const why = whyOpen(options);
	if (why === undefined) {
		return;
	}
	await boot.willReboot('update', `nobody has judged the release that was on trial: ${why}`.slice(0, 1024));
	for (;;) {
		logger.error({why}, 'nobody has judged the release that is on trial: the box reboots, and falls back in the end');
		await reboot().catch((error: unknown) => logger.error({err: error}, 'the box could not be rebooted'));
		await sleep(rebootRetryMs, {signal});
	}
};

/** Undefined when the trial is over: no agent leaves what it has judged in a state with a slot to go back to. */
const whyOpen = ({directory, stateLost, booted}: Parameters<typeof guardTrial>[0]): string | undefined => {
	const slot = booted();
	if (slot === factorySlot) {
		return undefined;
	}
	if (stateLost !== undefined) {
		return stateLost;
	}
	try {
		const {trial} = readUpdate(directory);
		return trial !== undefined && trial.fromSlot !== slot ? `order ${trial.job.order.orderId} is open` : undefined;
	} catch (error) {
		return errorMessage(error);
	}
};
