import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import type {GroupSpec, GroupState, RolloutBoxState, RolloutSpec, RolloutState} from '#ota/contract/rollout-api.ts';
import {givenUpIn, type OpenPhase} from '#ota/fleet/rollout/phase-deadline.ts';

export type PlanGroup = {
	readonly ordinal: number;
	readonly spec: GroupSpec;
	readonly state: GroupState;
	readonly startedMs: number | null;
	/** Failures that a person has accepted. */
	readonly waived: number;
	readonly counts: Readonly<Record<RolloutBoxState, number>>;
};

/** A box whose turn it is. `fit` is judged from what it is now, not from what it was when the rollout was made. */
export type QueuedBox = {
	readonly box: string;
	readonly ordinal: number;
	readonly attempt: number;
	readonly fit: {readonly kind: 'order'} | {readonly kind: 'done'} | {readonly kind: 'skip'; readonly reason: Reason};
};

export type DueBox = {readonly box: string; readonly attempt: number; readonly phase: OpenPhase};

export type RolloutView = {
	readonly state: RolloutState;
	readonly spec: RolloutSpec;
	readonly isReleasePublished: boolean;
	readonly groups: readonly PlanGroup[];
	/** Boxes that are `ordered` and whose deadline has passed; some of them, when they are many. */
	readonly due: readonly DueBox[];
	/**
	 * Boxes of started groups that are `waiting`, or `retrying` and due; by group and place, and at least as many of them as
	 * there are free places in flight (fewer only when there are no more).
	 */
	readonly queue: readonly QueuedBox[];
	readonly nowMs: number;
};

export type RolloutStep =
	| {readonly kind: 'begin'}
	| {
			readonly kind: 'give-up';
			readonly box: string;
			readonly attempt: number;
			readonly phase: OpenPhase;
			readonly reason: Reason;
			readonly outcome: 'failed' | 'retrying';
			readonly withdraw: boolean;
	  }
	| {readonly kind: 'pause' | 'abort'; readonly reason: Reason}
	| {readonly kind: 'start-group' | 'finish-group'; readonly ordinal: number}
	| {readonly kind: 'order'; readonly box: string; readonly attempt: number}
	| {readonly kind: 'settle'; readonly box: string; readonly state: 'done' | 'skipped'; readonly reason: Reason | null}
	| {readonly kind: 'finish'};

/**
 * The next steps of a rollout; carried out, it is asked again until it has none. Each answer holds steps of one sort
 * only, in this order of precedence: what was given up is counted before a threshold is judged, thresholds are judged
 * before a group starts, and nothing is ordered while one is exceeded.
 *
 * After hawkBit's semantics, with these differences: a box has succeeded only when it confirmed after its boot; silence
 * has a deadline in every phase; a group that can no longer reach its success threshold pauses the rollout instead of
 * leaving it hanging; boxes that the rollout skipped are no part of a percentage.
 */
export const planRollout = (view: RolloutView): readonly RolloutStep[] => {
	if (view.state === 'scheduled') {
		return view.nowMs >= (view.spec.startAtMs ?? 0) ? [{kind: 'begin'}] : [];
	}
	if (view.state !== 'running' && view.state !== 'paused' && view.state !== 'aborted') {
		return [];
	}
	// Who is on the way is followed to the end, although nobody follows.
	const givenUp = giveUp(view);
	if (givenUp.length > 0 || view.state !== 'running') {
		return givenUp;
	}
	const halt = haltOf(view);
	if (halt !== undefined) {
		return [halt];
	}
	const groups = moveGroups(view);
	if (groups.length > 0) {
		return groups;
	}
	const orders = nextOrders(view);
	return orders.length > 0 ? orders : finish(view);
};

const giveUp = ({due, spec, state}: RolloutView): readonly RolloutStep[] =>
	due.map(({box, attempt, phase}) => {
		const {reason, retryable, withdraw} = givenUpIn(phase);
		const outcome = retryable && state !== 'aborted' && attempt < spec.retry.attemptsMax ? 'retrying' : 'failed';
		return {kind: 'give-up', box, attempt, phase, reason, outcome, withdraw};
	});

const haltOf = ({groups, isReleasePublished}: RolloutView): RolloutStep | undefined => {
	if (!isReleasePublished) {
		const message = 'The release was withdrawn: nobody else is to get it.';
		return {kind: 'pause', reason: {code: 'OTA_ROLLOUT_RELEASE_WITHDRAWN', message}};
	}
	for (const group of groups) {
		if (group.state !== 'waiting' && hasFailed(group)) {
			const message = `${group.counts.failed} of ${sizeOf(group)} boxes of group "${group.spec.name}" failed.`;
			return {kind: group.spec.errorAction, reason: {code: 'OTA_ROLLOUT_ERROR_THRESHOLD', message}};
		}
	}
	const stuck = groups.find((group) => group.state === 'running' && openOf(group) === 0 && !hasSucceeded(group));
	if (stuck !== undefined) {
		const {counts, spec} = stuck;
		const message = `Only ${counts.done} of ${sizeOf(stuck)} boxes of group "${spec.name}" confirmed; ${spec.successPercent} % were wanted.`;
		return {kind: 'pause', reason: {code: 'OTA_ROLLOUT_SUCCESS_UNREACHABLE', message}};
	}
	return undefined;
};

const moveGroups = ({groups, nowMs}: RolloutView): readonly RolloutStep[] => {
	const finished = groups.filter(
		(group) => group.state === 'running' && openOf(group) === 0 && hasSoaked(group, nowMs) && hasSucceeded(group),
	);
	if (finished.length > 0) {
		return finished.map(({ordinal}) => ({kind: 'finish-group', ordinal}));
	}
	const next = groups.find(({state}) => state === 'waiting');
	if (next === undefined) {
		return [];
	}
	const last = groups.findLast(({state}) => state !== 'waiting');
	return last === undefined || (hasSucceeded(last) && hasSoaked(last, nowMs))
		? [{kind: 'start-group', ordinal: next.ordinal}]
		: [];
};

const nextOrders = ({groups, queue, spec}: RolloutView): readonly RolloutStep[] => {
	const inFlight = groups.reduce((sum, {counts}) => sum + counts.ordered, 0);
	let free = Math.max(0, spec.inFlightMax - inFlight);
	const steps: RolloutStep[] = [];
	for (const {box, attempt, fit} of queue) {
		if (fit.kind !== 'order') {
			steps.push(
				fit.kind === 'done'
					? {kind: 'settle', box, state: 'done', reason: null}
					: {kind: 'settle', box, state: 'skipped', reason: fit.reason},
			);
		} else if (free > 0) {
			free -= 1;
			steps.push({kind: 'order', box, attempt: attempt + 1});
		}
	}
	return steps;
};

const finish = ({groups, spec, nowMs}: RolloutView): readonly RolloutStep[] => {
	const isOver = groups.every((group) => group.state === 'done' && openOf(group) === 0);
	const staysOpen = spec.lateJoiners.kind === 'join' && nowMs < (spec.lateJoiners.untilMs ?? 0);
	return isOver && !staysOpen ? [{kind: 'finish'}] : [];
};

/** Boxes that count: those that were skipped are none of the group's. */
const sizeOf = ({counts}: PlanGroup): number =>
	counts.waiting + counts.ordered + counts.retrying + counts.done + counts.failed + counts.withdrawn;

const openOf = ({counts}: PlanGroup): number => counts.waiting + counts.ordered + counts.retrying;

/** The percentage is of all boxes of the group, so that one failure among the first two of a thousand is not 50 %. */
const hasFailed = (group: PlanGroup): boolean => {
	const failures = group.counts.failed - group.waived;
	const {errorCount, errorPercent} = group.spec;
	return (
		failures > 0 &&
		((errorCount !== null && failures >= errorCount) ||
			(errorPercent !== null && failures * 100 >= errorPercent * sizeOf(group)))
	);
};

const hasSucceeded = (group: PlanGroup): boolean =>
	group.counts.done >= Math.ceil((group.spec.successPercent * Math.max(0, sizeOf(group) - group.waived)) / 100 - 1e-9);

const hasSoaked = ({startedMs, spec}: PlanGroup, nowMs: number): boolean => nowMs >= (startedMs ?? nowMs) + spec.soakMs;
