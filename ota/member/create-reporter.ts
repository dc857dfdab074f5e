import {errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {FleetLink} from '#appliance/mqtt/fleet-link.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {type MemberState, noteConnection, reportedFactsOf} from '#ota/member/member-state.ts';
import {slotsTimeoutMs} from '#ota/member/read-slots.ts';
import type {SlotInstaller} from '#ota/slot/slot-installer.ts';

/** Changes that come together are one report. */
const settleMs = 200;
/** What nobody announces (an address, a slot) is looked at so often; and an installer that is silent is asked so often. */
const lookMs = 60_000;

export type Reporter = AsyncDisposable & {
	/**
	 * From now on it reports. Not before it is known where an update stands: a box that runs a release on trial and said
	 * nothing of the trial would count as done.
	 */
	readonly start: () => void;
	/** Something that is reported may have changed. Callbacks only say so; one loop reports. */
	readonly changed: () => void;
};

export const createReporter = (options: {
	readonly state: MemberState;
	readonly link: FleetLink;
	readonly installer: Pick<SlotInstaller, 'slots'> | undefined;
	/** Whenever the slots were read, before that is reported. */
	readonly onSlots?: () => Promise<void>;
	readonly logger: Logger;
	readonly signal: AbortSignal;
}): Reporter => {
	const {state, link, logger} = options;
	const stop = new AbortController();
	const signal = AbortSignal.any([options.signal, stop.signal]);
	let wake = Promise.withResolvers<void>();
	const lookAtSlots = slotReader({...options, signal});
	const run = async (): Promise<void> => {
		while (!signal.aborted) {
			const asked = wake.promise;
			try {
				await lookAtSlots();
				noteConnection(state);
				link.report(reportedFactsOf(state));
			} catch (error) {
				if (!signal.aborted) {
					logger.warn({err: error, reason: errorMessage(error)}, 'the box could not report itself');
				}
			}
			await Promise.race([asked, sleep(lookMs, {signal})]).catch(() => undefined);
			await sleep(settleMs, {signal}).catch(() => undefined);
			wake = Promise.withResolvers<void>();
		}
	};
	let running: Promise<void> = Promise.resolve();
	const unsubscribe = link.onConnected(() => wake.resolve());
	return {
		start: () => {
			running = run();
		},
		changed: () => wake.resolve(),
		[Symbol.asyncDispose]: async () => {
			unsubscribe();
			stop.abort();
			wake.resolve();
			await running;
		},
	};
};

/** An installer that falls silent costs its part of the report, and the report no more than one wait for it in `lookMs`. */
const slotReader = ({
	state,
	installer,
	onSlots,
	logger,
	signal,
}: Parameters<typeof createReporter>[0]): (() => Promise<void>) => {
	let notBeforeMs = Number.NEGATIVE_INFINITY;
	return async () => {
		if (installer === undefined || state.clock.monotonicMs() < notBeforeMs) {
			return;
		}
		try {
			const limit = AbortSignal.any([signal, AbortSignal.timeout(slotsTimeoutMs)]);
			state.slots = (await installer.slots({signal: limit})).slice();
			await onSlots?.();
		} catch (error) {
			signal.throwIfAborted();
			notBeforeMs = state.clock.monotonicMs() + lookMs;
			logger.warn({err: error, reason: errorMessage(error)}, 'the slots cannot be read, or used');
		}
	};
};
