import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import type {AgentLimits} from '#ota/agent/agent-limits.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import type {UpdateEffect} from '#ota/agent/update-event.ts';
import type {ActiveState, EndedState, UpdateState} from '#ota/agent/update-state.ts';

export type TransitionContext = {
	readonly nowMs: number;
	readonly bootId: string;
	readonly limits: AgentLimits;
	readonly random: () => number;
};
export type Transition = {readonly state: UpdateState; readonly effects: readonly UpdateEffect[]};

export const unchanged = (state: UpdateState): Transition => ({state, effects: []});

export const reasonOf = (code: AgentErrorCode, message: string): Reason => ({code, message: message.slice(0, 1024)});

/** Ends an order before its slot was booted; where the slot may have been made next, that is undone first. */
export const abandon = (
	state: ActiveState,
	reason: Reason,
	{retry: again, context}: {readonly retry: boolean; readonly context: TransitionContext},
): Transition => {
	if (state.kind === 'installing' || state.kind === 'rebooting') {
		return takeBack(state, reason, {retry: again});
	}
	return again ? retry({...state, reason}, context) : end(state, 'failed', {reason, context});
};

/** Only when the installer says that the new slot is not the next one the order ends, or is tried again. */
export const takeBack = (
	{job, fromSlot, sinceMs}: ActiveState & {readonly fromSlot: string},
	reason: Reason,
	{retry: again}: {readonly retry: boolean},
): Transition => ({
	state: {kind: 'cancelling', job: {...job, restarts: 0}, fromSlot, reason, retry: again, tries: 1, sinceMs},
	effects: [{kind: 'cancel'}],
});

export const retry = (state: ActiveState & {readonly reason: Reason}, context: TransitionContext): Transition => {
	const {job, reason} = state;
	if (job.attempt >= job.order.attemptsMax) {
		return end(state, 'failed', {reason, context});
	}
	const {retryInitialMs: initialMs, retryMaxMs: maxMs} = context.limits;
	const delayMs = backoffMs(job.attempt - 1, {initialMs, maxMs, random: context.random});
	return {
		state: {
			kind: 'accepted',
			job: {...job, attempt: job.attempt + 1, restarts: 0, bootId: context.bootId},
			notBeforeMs: context.nowMs + delayMs,
			judged: false,
			sinceMs: context.nowMs,
		},
		effects: [{kind: 'judge'}],
	};
};

export const revert = (
	state: ActiveState & {readonly fromSlot: string},
	reason: Reason,
	{nowMs, bootId}: TransitionContext,
): Transition => ({
	state: {
		kind: 'reverting',
		job: {...state.job, restarts: 0, bootId},
		fromSlot: state.fromSlot,
		reason,
		tries: 1,
		sinceMs: nowMs,
	},
	effects: [{kind: 'revert'}],
});

export const end = (
	{job}: ActiveState,
	kind: EndedState['kind'],
	{reason, context}: {readonly reason?: Reason; readonly context: TransitionContext},
): Transition => {
	const {order, origin, attempt, bytes} = job;
	const told = {orderId: order.orderId, origin, release: order.release, attempt, bytes, sinceMs: context.nowMs};
	const why = reason ?? reasonOf('OTA_FAILED_INTERRUPTED', 'No reason was given.');
	return {
		state: kind === 'confirmed' ? {kind, ...told} : {kind, ...told, reason: why},
		effects: [{kind: 'clean', keep: kind === 'confirmed'}],
	};
};
