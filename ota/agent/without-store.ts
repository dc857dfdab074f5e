import type {UpdateEvent} from '#ota/agent/update-event.ts';
import {type ActiveState, isActive, type UpdateState} from '#ota/agent/update-state.ts';
import {abandon, end, reasonOf, revert, type Transition, type TransitionContext} from '#ota/agent/ways-out.ts';

type WayBack = Extract<ActiveState, {kind: 'cancelling' | 'reverting'}>;

/**
 * What is done instead where the next state cannot be written. What the disk does not know of must not be acted upon; but a
 * way back needs no memory, and which one it is tells what was booted, not what the disk still says: cancelled on the new
 * slot, the old one would be marked bad, and reverted on the old one, that would.
 */
export const withoutStore = (
	{before, event, next}: {readonly before: UpdateState; readonly event: UpdateEvent; readonly next: Transition},
	{detail, context}: {readonly detail: string; readonly context: TransitionContext},
): Transition => {
	const message = `The agent's state cannot be written: ${detail}`;
	if (event.kind === 'assigned' && isActive(next.state)) {
		return end(next.state, 'refused', {reason: reasonOf('OTA_REFUSED_STORE', message), context});
	}
	if (before.kind === 'cancelling' && event.kind === 'cancelled') {
		// The next start cancels again.
		return end(before, 'failed', {reason: before.reason, context});
	}
	const isLook = event.kind === 'started' || event.kind === 'unobservable';
	const state = isLook ? next.state : before;
	return isWayBack(before) || isWayBack(state) || !isActive(state) ? next : onUnwritten(state, message, context);
};

const isWayBack = (state: UpdateState): state is WayBack => state.kind === 'cancelling' || state.kind === 'reverting';

const onUnwritten = (state: Exclude<ActiveState, WayBack>, message: string, context: TransitionContext): Transition => {
	const reason = reasonOf('OTA_FAILED_STORE', message);
	switch (state.kind) {
		case 'accepted':
		case 'fetching':
		case 'verified':
			return end(state, 'failed', {reason, context});
		case 'installing':
		case 'rebooting':
			return abandon(state, reason, {retry: false, context});
		case 'confirming':
		case 'committing':
			return state.fromSlot === undefined
				? end(state, 'failed', {reason, context})
				: revert({...state, fromSlot: state.fromSlot}, reasonOf('OTA_ROLLED_BACK_STORE', message), context);
	}
};
