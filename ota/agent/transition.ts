import {onStarted, onUnobservable} from '#ota/agent/resume.ts';
import type {UpdateEvent} from '#ota/agent/update-event.ts';
import {type ActiveState, isAbortable, isActive, type UpdateJob, type UpdateState} from '#ota/agent/update-state.ts';
import {
	abandon,
	end,
	reasonOf,
	retry,
	revert,
	type Transition,
	type TransitionContext,
	unchanged,
} from '#ota/agent/ways-out.ts';

/**
 * The next state and what is to be done in it. An event that means nothing in a state changes nothing: an answer that
 * was under way when the order was taken back.
 */
export const transition = (state: UpdateState, event: UpdateEvent, context: TransitionContext): Transition => {
	if (event.kind === 'assigned') {
		return isActive(state) ? unchanged(state) : accept(event, context);
	}
	if (!isActive(state)) {
		return unchanged(state);
	}
	const counted = {...state, job: {...state.job, steps: state.job.steps + 1}};
	const next = progress(counted, event, context);
	if (next.state === counted) {
		return unchanged(state);
	}
	const {state: after} = next;
	const isLoop = isActive(after) && after.job.steps > context.limits.stepsMax;
	// A way back is gone to its end, whatever it costs.
	return isLoop && after.kind !== 'cancelling' && after.kind !== 'reverting' ? endLoop(after, context) : next;
};

const accept = (event: Extract<UpdateEvent, {kind: 'assigned'}>, {nowMs, bootId}: TransitionContext): Transition => ({
	state: {
		kind: 'accepted',
		job: {
			order: event.order,
			origin: event.origin,
			...(event.expiresMs === undefined ? {} : {expiresMs: event.expiresMs}),
			attempt: 1,
			steps: 0,
			restarts: 0,
			bootId,
			bytes: {carousel: 0, local: 0, unicast: 0},
		},
		judged: false,
		sinceMs: nowMs,
	},
	effects: [{kind: 'judge'}],
});

const progress = (state: ActiveState, event: UpdateEvent, context: TransitionContext): Transition => {
	switch (event.kind) {
		case 'started':
			return onStarted(state, event, context);
		case 'unobservable':
			return onUnobservable(state, event, context);
		case 'withdrawn':
			return isAbortable(state)
				? abandon(state, reasonOf('OTA_FAILED_ABORTED', 'The order was taken back.'), {retry: false, context})
				: unchanged(state);
		case 'refused':
			return end(state, 'refused', {reason: event.reason, context});
		case 'failed':
			return onFailed({...state, job: {...state.job, bytes: event.bytes ?? state.job.bytes}}, event, context);
		default:
			return onDone(state, event, context);
	}
};

type Done = Extract<
	UpdateEvent,
	{
		kind:
			| 'assigned'
			| 'judged'
			| 'due'
			| 'fetched'
			| 'window-open'
			| 'installed'
			| 'cancelled'
			| 'checked'
			| 'marked-good';
	}
>;

/** Each step's good end leads to the next state; the pairs not listed are answers to what is no longer asked. */
const onDone = (state: ActiveState, event: Done, context: TransitionContext): Transition => {
	const {nowMs: sinceMs, bootId} = context;
	const job: UpdateJob = {...state.job, restarts: 0, bootId};
	if (state.kind === 'accepted' && event.kind === 'judged') {
		return event.running
			? {state: {kind: 'confirming', job, boots: 1, sinceMs}, effects: [{kind: 'check'}]}
			: {state: {...state, job, judged: true}, effects: [{kind: 'wait-until-due'}]};
	}
	if (state.kind === 'accepted' && event.kind === 'due') {
		return {state: {kind: 'fetching', job, sinceMs}, effects: [{kind: 'fetch'}]};
	}
	if (state.kind === 'fetching' && event.kind === 'fetched') {
		return {state: {kind: 'verified', job: {...job, bytes: event.bytes}, sinceMs}, effects: [{kind: 'await-window'}]};
	}
	if (state.kind === 'verified' && event.kind === 'window-open') {
		return {state: {kind: 'installing', job, fromSlot: event.bootedSlot, sinceMs}, effects: [{kind: 'install'}]};
	}
	if (state.kind === 'installing' && event.kind === 'installed') {
		return {
			state: {kind: 'rebooting', job, fromSlot: state.fromSlot, tries: 1, sinceMs},
			effects: [{kind: 'reboot'}],
		};
	}
	if (state.kind === 'cancelling' && event.kind === 'cancelled') {
		return state.retry ? retry(state, context) : end(state, 'failed', {reason: state.reason, context});
	}
	if (state.kind === 'confirming' && event.kind === 'checked') {
		return state.fromSlot === undefined
			? end(state, 'confirmed', {context})
			: {
					state: {kind: 'committing', job, fromSlot: state.fromSlot, tries: 1, sinceMs: state.sinceMs},
					effects: [{kind: 'mark-good'}],
				};
	}
	if (state.kind === 'committing' && event.kind === 'marked-good') {
		return end(state, 'confirmed', {context});
	}
	return unchanged(state);
};

const onFailed = (
	state: ActiveState,
	{reason, retryable}: Extract<UpdateEvent, {kind: 'failed'}>,
	context: TransitionContext,
): Transition => {
	const {attemptsMax} = context.limits;
	switch (state.kind) {
		case 'accepted':
		case 'fetching':
		case 'verified':
		case 'installing':
			return abandon(state, reason, {retry: retryable, context});
		case 'rebooting':
			return state.tries < attemptsMax
				? {state: {...state, tries: state.tries + 1}, effects: [{kind: 'reboot'}]}
				: abandon(state, reason, {retry: false, context});
		case 'cancelling':
			// An installer that is busy, or cannot be asked, may make the new slot the next one yet, and nobody would check it.
			return {state: {...state, tries: state.tries + 1}, effects: [{kind: 'cancel'}]};
		case 'confirming':
			return state.fromSlot === undefined
				? end(state, 'failed', {reason: {...reason, code: 'OTA_FAILED_CHECKS'}, context})
				: revert({...state, fromSlot: state.fromSlot}, reason, context);
		case 'committing':
			return state.tries < attemptsMax
				? {state: {...state, tries: state.tries + 1}, effects: [{kind: 'mark-good'}]}
				: revert(state, {...reason, code: 'OTA_ROLLED_BACK_MARK'}, context);
		case 'reverting':
			return state.tries < attemptsMax
				? {state: {...state, tries: state.tries + 1}, effects: [{kind: 'revert'}]}
				: end(state, 'failed', {
						reason: reasonOf('OTA_FAILED_REVERT', `${state.reason.message} And back it cannot go: ${reason.message}`),
						context,
					});
	}
};

/** An error that feeds itself is ended by the way that leaves the box on a slot that it knows. */
const endLoop = (state: ActiveState, context: TransitionContext): Transition => {
	const reason = reasonOf('OTA_FAILED_ERROR_LOOP', `The order changed its state ${context.limits.stepsMax} times.`);
	return (state.kind === 'confirming' || state.kind === 'committing') && state.fromSlot !== undefined
		? revert({...state, fromSlot: state.fromSlot}, reason, context)
		: abandon(state, reason, {retry: false, context});
};
