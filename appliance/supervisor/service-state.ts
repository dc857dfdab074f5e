import {backoffMs} from '#appliance/time/backoff.ts';

/** Why a child process was ended or has ended. */
export type ServiceFailure = {
	readonly kind: 'exited' | 'spawn-failed' | 'start-timeout' | 'heartbeat-lost' | 'ordered';
	readonly text: string;
	readonly atMs: number;
};

/** The life of one child process. All times are of the monotonic clock, in ms. */
export type ServiceState =
	| {readonly kind: 'stopped'; readonly sinceMs: number; readonly restarts: number}
	| {
			readonly kind: 'starting';
			readonly sinceMs: number;
			readonly heartbeatMs: number;
			readonly attempt: number;
			readonly restarts: number;
	  }
	| {
			readonly kind: 'running';
			readonly sinceMs: number;
			readonly heartbeatMs: number;
			readonly attempt: number;
			readonly restarts: number;
	  }
	| {
			readonly kind: 'stopping';
			readonly sinceMs: number;
			readonly killed: boolean;
			/** Undefined: it was ordered to stop, and stays down. */
			readonly failure: ServiceFailure | undefined;
			readonly attempt: number;
			readonly restarts: number;
	  }
	| {
			readonly kind: 'waiting';
			readonly sinceMs: number;
			readonly untilMs: number;
			readonly failure: ServiceFailure;
			readonly attempt: number;
			readonly restarts: number;
	  };

export type ServiceEvent =
	| {readonly kind: 'start'}
	| {readonly kind: 'ready'}
	| {readonly kind: 'heartbeat'}
	| {readonly kind: 'ended'; readonly text: string; readonly spawned: boolean}
	/** The deadline that `deadlineOf` named has come. */
	| {readonly kind: 'deadline'}
	| {readonly kind: 'restart'; readonly text: string}
	| {readonly kind: 'stop'};

export type ServiceEffect = {readonly kind: 'spawn'} | {readonly kind: 'terminate'} | {readonly kind: 'kill'};

export type ServicePolicy = {
	readonly startTimeoutMs: number;
	readonly stopTimeoutMs: number;
	/** Undefined: it has no heartbeat. */
	readonly heartbeatTimeoutMs?: number | undefined;
	readonly restartDelayMinMs: number;
	readonly restartDelayMaxMs: number;
	/** After so long without a failure the back-off begins anew. */
	readonly steadyMs: number;
};

export type TransitionContext = {
	readonly nowMs: number;
	readonly policy: ServicePolicy;
	readonly random: () => number;
};

export type Transition = {readonly state: ServiceState; readonly effects: readonly ServiceEffect[]};

/** When something must be done although nothing happens; undefined when nothing must. */
export const deadlineOf = (state: ServiceState, policy: ServicePolicy): number | undefined => {
	const {heartbeatTimeoutMs = Number.POSITIVE_INFINITY} = policy;
	switch (state.kind) {
		case 'stopped':
			return undefined;
		case 'starting':
			return Math.min(state.sinceMs + policy.startTimeoutMs, state.heartbeatMs + heartbeatTimeoutMs);
		case 'running':
			return policy.heartbeatTimeoutMs === undefined ? undefined : state.heartbeatMs + heartbeatTimeoutMs;
		case 'stopping':
			return state.killed ? undefined : state.sinceMs + policy.stopTimeoutMs;
		case 'waiting':
			return state.untilMs;
	}
};

/**
 * The next state and what must be done. An event that means nothing in a state changes nothing: a heartbeat that was
 * under way when the order to stop came, a second order.
 */
export const transition = (state: ServiceState, event: ServiceEvent, context: TransitionContext): Transition => {
	switch (event.kind) {
		case 'start':
			return state.kind === 'stopped' ? spawn(state.restarts, 0, context) : unchanged(state);
		case 'ready':
			return state.kind === 'starting' ? becomeRunning(state, context) : unchanged(state);
		case 'heartbeat':
			return state.kind === 'starting' || state.kind === 'running'
				? {state: {...state, heartbeatMs: context.nowMs}, effects: []}
				: unchanged(state);
		case 'ended':
			return onEnded(state, event, context);
		case 'deadline':
			return onDeadline(state, context);
		case 'restart':
			return state.kind === 'starting' || state.kind === 'running'
				? terminate(state, {kind: 'ordered', text: event.text, atMs: context.nowMs}, context)
				: unchanged(state);
		case 'stop':
			return onStop(state, context);
	}
};

type Alive = Extract<ServiceState, {kind: 'starting' | 'running'}>;

const unchanged = (state: ServiceState): Transition => ({state, effects: []});

const spawn = (restarts: number, attempt: number, {nowMs}: TransitionContext): Transition => ({
	state: {kind: 'starting', sinceMs: nowMs, heartbeatMs: nowMs, attempt, restarts},
	effects: [{kind: 'spawn'}],
});

const becomeRunning = (state: Alive, {nowMs}: TransitionContext): Transition => ({
	state: {...state, kind: 'running', sinceMs: nowMs, heartbeatMs: nowMs},
	effects: [],
});

const terminate = (state: Alive, failure: ServiceFailure | undefined, context: TransitionContext): Transition => ({
	state: {
		kind: 'stopping',
		sinceMs: context.nowMs,
		killed: false,
		failure,
		attempt: attemptAfter(state, context),
		restarts: state.restarts,
	},
	effects: [{kind: 'terminate'}],
});

/** How many failures in a row stand before the next start; a steady run wipes them out. */
const attemptAfter = (state: Alive, {nowMs, policy}: TransitionContext): number =>
	state.kind === 'running' && nowMs - state.sinceMs >= policy.steadyMs ? 0 : state.attempt;

const waitToRestart = (
	{failure, attempt, restarts}: {readonly failure: ServiceFailure; readonly attempt: number; readonly restarts: number},
	{nowMs, policy, random}: TransitionContext,
): Transition => {
	const delayMs = backoffMs(attempt, {initialMs: policy.restartDelayMinMs, maxMs: policy.restartDelayMaxMs, random});
	return {
		state: {kind: 'waiting', sinceMs: nowMs, untilMs: nowMs + delayMs, failure, attempt, restarts},
		effects: [],
	};
};

const onEnded = (
	state: ServiceState,
	event: Extract<ServiceEvent, {kind: 'ended'}>,
	context: TransitionContext,
): Transition => {
	switch (state.kind) {
		case 'stopped':
		case 'waiting':
			return unchanged(state);
		case 'stopping':
			return state.failure === undefined
				? {state: {kind: 'stopped', sinceMs: context.nowMs, restarts: state.restarts}, effects: []}
				: waitToRestart({...state, failure: state.failure}, context);
		case 'starting':
		case 'running': {
			const kind = event.spawned ? 'exited' : 'spawn-failed';
			const failure: ServiceFailure = {kind, text: event.text, atMs: context.nowMs};
			return waitToRestart({failure, attempt: attemptAfter(state, context), restarts: state.restarts}, context);
		}
	}
};

const onDeadline = (state: ServiceState, context: TransitionContext): Transition => {
	const deadlineMs = deadlineOf(state, context.policy);
	if (deadlineMs === undefined || context.nowMs < deadlineMs) {
		return unchanged(state);
	}
	switch (state.kind) {
		case 'stopped':
			return unchanged(state);
		case 'starting':
		case 'running':
			return terminate(state, missedDeadline(state, context), context);
		case 'stopping':
			return {state: {...state, killed: true}, effects: [{kind: 'kill'}]};
		case 'waiting':
			return spawn(state.restarts + 1, state.attempt + 1, context);
	}
};

const missedDeadline = (state: Alive, {nowMs, policy}: TransitionContext): ServiceFailure =>
	state.kind === 'starting' && nowMs >= state.sinceMs + policy.startTimeoutMs
		? {kind: 'start-timeout', text: `was not ready after ${policy.startTimeoutMs} ms`, atMs: nowMs}
		: {kind: 'heartbeat-lost', text: `gave no sign of life for ${policy.heartbeatTimeoutMs} ms`, atMs: nowMs};

const onStop = (state: ServiceState, context: TransitionContext): Transition => {
	switch (state.kind) {
		case 'stopped':
			return unchanged(state);
		case 'waiting':
			return {state: {kind: 'stopped', sinceMs: context.nowMs, restarts: state.restarts}, effects: []};
		case 'stopping':
			return {state: {...state, failure: undefined}, effects: []};
		case 'starting':
		case 'running':
			return terminate(state, undefined, context);
	}
};
