import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import type {UpdateEvent} from '#ota/agent/update-event.ts';
import type {ActiveState} from '#ota/agent/update-state.ts';
import {
	abandon,
	end,
	reasonOf,
	retry,
	revert,
	type Transition,
	type TransitionContext,
	takeBack,
	unchanged,
} from '#ota/agent/ways-out.ts';
import type {BootVerdict} from '#ota/slot/slot-installer.ts';

type Started = Extract<UpdateEvent, {kind: 'started'}>;
type Slotted = Extract<ActiveState, {fromSlot: string}>;

/**
 * Where to go on after the agent was started again. What was booted decides, not what was planned: a power cut may have
 * come after the last thing that was done and before it was written down, and the other way round.
 */
export const onStarted = (before: ActiveState, event: Started, context: TransitionContext): Transition => {
	const state = countRestart(before, event, context);
	const rescued = rescuedFrom(state, event.verdict);
	if (rescued !== undefined) {
		return onRescue(rescued, event.verdict, context);
	}
	if (state.job.restarts > context.limits.restartsMax && state.kind !== 'cancelling') {
		return onRestartLoop(state, event, context);
	}
	switch (state.kind) {
		case 'accepted':
			return {state: {...state, judged: false}, effects: [{kind: 'judge'}]};
		case 'fetching':
		case 'verified':
			// What lies on disk is hashed again: it may have rotted, or been lost with the power.
			return {
				state: {kind: 'fetching', job: state.job, sinceMs: state.sinceMs},
				effects: [{kind: 'fetch'}],
			};
		case 'confirming':
			return state.fromSlot === undefined
				? {state, effects: [{kind: 'check'}]}
				: onSlot({...state, fromSlot: state.fromSlot}, event.verdict, context);
		case 'installing':
		case 'cancelling':
		case 'rebooting':
		case 'committing':
		case 'reverting':
			return onSlot(state, event.verdict, context);
	}
};

type Confirming = Extract<ActiveState, {kind: 'confirming'}>;
type OnSlot = Slotted | (Confirming & {readonly fromSlot: string});

const rescuedFrom = (state: ActiveState, {bootedSlot, isFactory}: BootVerdict): Slotted | Confirming | undefined =>
	isFactory === true && (state.kind === 'confirming' || 'fromSlot' in state) && state.fromSlot !== bootedSlot
		? state
		: undefined;

/** The factory's slot runs: neither the new one came up nor the one from which it was installed. */
const onRescue = (state: Slotted | Confirming, verdict: BootVerdict, context: TransitionContext): Transition => {
	const {fromSlot} = state;
	if (fromSlot === undefined) {
		return retry({...state, reason: {...fallbackReason(verdict), code: 'OTA_FAILED_CHECKS'}}, context);
	}
	if (state.kind === 'reverting' || verdict.fallback !== undefined) {
		const reason = state.kind === 'reverting' ? state.reason : fallbackReason(verdict);
		return end(state, 'rolled-back', {reason, context});
	}
	// A boot loader that cannot count its tries comes here as well, and may boot the new slot yet.
	if (state.kind === 'cancelling') {
		return onOldSlot(state, verdict, context);
	}
	const message = `${verdict.bootedSlot} was booted in between.`;
	return takeBack({...state, fromSlot}, reasonOf('OTA_FAILED_INTERRUPTED', message), {retry: true});
};

const onSlot = (state: OnSlot, verdict: BootVerdict, context: TransitionContext): Transition =>
	verdict.bootedSlot === state.fromSlot ? onOldSlot(state, verdict, context) : onNewSlot(state, verdict, context);

/** The slot from which it was installed runs: either it was never left, or the box has fallen back to it. */
const onOldSlot = (state: OnSlot, verdict: BootVerdict, context: TransitionContext): Transition => {
	const rebooted = state.job.bootId !== context.bootId;
	switch (state.kind) {
		case 'installing':
			return rebooted && verdict.fallback !== undefined
				? end(state, 'rolled-back', {reason: fallbackReason(verdict), context})
				: abandon(state, reasonOf('OTA_FAILED_INTERRUPTED', 'The installation was interrupted.'), {
						retry: true,
						context,
					});
		case 'cancelling':
			// An agent that dies of it waits longer each time.
			return {state: {...state, tries: state.job.restarts}, effects: [{kind: 'cancel'}]};
		case 'rebooting':
			return rebooted
				? end(state, 'rolled-back', {reason: fallbackReason(verdict), context})
				: {state, effects: [{kind: 'reboot'}]};
		case 'confirming':
		case 'committing':
			return end(state, 'rolled-back', {reason: fallbackReason(verdict), context});
		case 'reverting':
			return end(state, 'rolled-back', {reason: state.reason, context});
	}
};

/** Another slot runs than the one from which it was installed: the new release, on trial. */
const onNewSlot = (state: OnSlot, verdict: BootVerdict, context: TransitionContext): Transition => {
	const {order} = state.job;
	if (state.kind === 'reverting') {
		return state.tries > context.limits.attemptsMax
			? end(state, 'failed', {
					reason: reasonOf('OTA_FAILED_REVERT', `${state.reason.message} And the box keeps booting this slot.`),
					context,
				})
			: {state: {...state, job: {...state.job, bootId: context.bootId}}, effects: [{kind: 'revert'}]};
	}
	if (state.kind === 'cancelling') {
		return revert(state, state.reason, context);
	}
	if (verdict.release !== undefined && verdict.release !== order.release) {
		const message = `Slot ${verdict.bootedSlot} runs ${verdict.release}, not ${order.release}.`;
		return revert(state, reasonOf('OTA_ROLLED_BACK_WRONG_RELEASE', message), context);
	}
	if (state.kind === 'committing') {
		return {state, effects: [{kind: 'mark-good'}]};
	}
	const {bootId, limits, nowMs: sinceMs} = context;
	const before = state.kind === 'confirming' ? state.boots : 0;
	const boots = state.kind === 'confirming' && state.job.bootId === bootId ? before : before + 1;
	if (boots > limits.attemptsMax) {
		const message = `The box rebooted ${boots - 1} times before its checks had passed.`;
		return revert(state, reasonOf('OTA_ROLLED_BACK_BOOT_LOOP', message), context);
	}
	return {
		state: {kind: 'confirming', job: {...state.job, bootId}, fromSlot: state.fromSlot, boots, sinceMs},
		effects: [{kind: 'check'}],
	};
};

/**
 * On trial nobody can tell what runs: the boot loader's count, or the old slot, is the way out. Whoever comes from there and
 * still cannot tell may be on the old slot, and waits: only on the new one the member reboots (guard-trial.ts).
 */
export const onUnobservable = (
	state: ActiveState,
	{detail}: Extract<UpdateEvent, {kind: 'unobservable'}>,
	context: TransitionContext,
): Transition => {
	const trial = state.kind === 'rebooting' || state.kind === 'confirming' || state.kind === 'committing';
	if (!trial || state.fromSlot === undefined || state.job.bootId === context.bootId) {
		return unchanged(state);
	}
	const message = `The installer does not tell which slot runs: ${detail}`;
	return revert({...state, fromSlot: state.fromSlot}, reasonOf('OTA_ROLLED_BACK_UNOBSERVABLE', message), context);
};

const countRestart = (state: ActiveState, {bytes}: Started, {bootId}: TransitionContext): ActiveState => {
	const {job} = state;
	const total = ({carousel, local, unicast}: Started['bytes']): number => carousel + local + unicast;
	const gotOn = state.kind === 'fetching' && total(bytes) > total(job.bytes);
	const kept = state.kind === 'fetching' ? bytes : job.bytes;
	const reverting = state.kind === 'reverting' && job.bootId !== bootId ? {tries: state.tries + 1} : {};
	return {...state, ...reverting, job: {...job, bytes: kept, restarts: gotOn ? 1 : job.restarts + 1}} as ActiveState;
};

const onRestartLoop = (state: ActiveState, {verdict}: Started, context: TransitionContext): Transition => {
	const reason = reasonOf(
		'OTA_FAILED_RESTART_LOOP',
		`The agent was restarted ${state.job.restarts} times while ${state.kind}.`,
	);
	const onTrial = 'fromSlot' in state && state.fromSlot !== undefined && verdict.bootedSlot !== state.fromSlot;
	if (onTrial && state.kind !== 'reverting') {
		return revert({...state, fromSlot: state.fromSlot ?? ''}, reason, context);
	}
	return state.kind === 'installing' || state.kind === 'rebooting'
		? abandon(state, reason, {retry: false, context})
		: end(state, state.kind === 'reverting' && !onTrial ? 'rolled-back' : 'failed', {
				reason: 'reason' in state ? state.reason : reason,
				context,
			});
};

const fallbackCodes = {
	bootloader: 'OTA_ROLLED_BACK_BOOTLOADER',
	panic: 'OTA_ROLLED_BACK_PANIC',
	watchdog: 'OTA_ROLLED_BACK_WATCHDOG',
	power: 'OTA_ROLLED_BACK_POWER',
	supervisor: 'OTA_ROLLED_BACK_SUPERVISOR',
	unknown: 'OTA_ROLLED_BACK_UNKNOWN',
} as const satisfies Record<NonNullable<BootVerdict['fallback']>['origin'], AgentErrorCode>;

const fallbackReason = ({fallback}: BootVerdict): Reason =>
	fallback === undefined
		? reasonOf('OTA_ROLLED_BACK_UNKNOWN', 'The box came up with its old slot, and nothing tells why.')
		: reasonOf(fallbackCodes[fallback.origin], fallback.detail);
