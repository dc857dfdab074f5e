import type {UpdatePhase, UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import {statusOf} from '#ota/agent/update-state.ts';
import type {MemberErrorCode} from '#ota/member/error-code.ts';
import type {MemberState} from '#ota/member/member-state.ts';

/** Of an agent that has nothing under way and confirms nothing; said of a slot on trial, they would let it count as done. */
const idlePhases: readonly UpdatePhase[] = ['idle', 'refused', 'failed'];

/**
 * Where the update stands, for everybody who asks. Without an agent it is what the last one wrote down. Where nobody knows
 * whether the slot that runs is on trial, it is told as one that nobody has confirmed.
 */
export const updateStatusOf = (state: Pick<MemberState, 'agent' | 'kept' | 'slots' | 'bootedMs'>): UpdateStatus => {
	const {agent, kept, bootedMs} = state;
	const status = agent?.status() ?? statusOf(kept.state ?? {kind: 'idle', sinceMs: bootedMs});
	const doubt = doubtOf(state);
	if (doubt === undefined || !idlePhases.includes(status.phase)) {
		return status;
	}
	const code: MemberErrorCode = 'OTA_MEMBER_TRIAL_UNKNOWN';
	const message = `Nobody knows whether this release is on trial: ${doubt}.`.slice(0, 1024);
	return {phase: 'confirming', sinceMs: bootedMs, reason: {code, message}};
};

const doubtOf = ({kept, slots}: Pick<MemberState, 'kept' | 'slots'>): string | undefined => {
	const {state, trial, lost} = kept;
	const booted = slots.find(({state: slot}) => slot === 'booted')?.name;
	return state === undefined && trial !== undefined && trial.fromSlot !== booted
		? 'this release does not understand what was kept of its update'
		: lost;
};
