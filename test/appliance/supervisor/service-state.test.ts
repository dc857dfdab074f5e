import test from 'ava';
import fc from 'fast-check';
import {
	deadlineOf,
	type ServiceEvent,
	type ServicePolicy,
	type ServiceState,
	transition,
} from '#appliance/supervisor/service-state.ts';

const policy: ServicePolicy = {
	startTimeoutMs: 100,
	stopTimeoutMs: 50,
	heartbeatTimeoutMs: 40,
	restartDelayMinMs: 10,
	restartDelayMaxMs: 80,
	steadyMs: 1000,
};

/** Goes through events, each with the time at which it comes. */
const run = (events: readonly (readonly [number, ServiceEvent])[], with_: Partial<ServicePolicy> = {}) => {
	let state: ServiceState = {kind: 'stopped', sinceMs: 0, restarts: 0};
	const effects: string[] = [];
	for (const [nowMs, event] of events) {
		const next = transition(state, event, {nowMs, policy: {...policy, ...with_}, random: () => 1});
		state = next.state;
		effects.push(...next.effects.map(({kind}) => kind));
	}
	return {state, effects};
};

const start: ServiceEvent = {kind: 'start'};
const ready: ServiceEvent = {kind: 'ready'};
const stop: ServiceEvent = {kind: 'stop'};
const deadline: ServiceEvent = {kind: 'deadline'};
const heartbeat: ServiceEvent = {kind: 'heartbeat'};
const ended: ServiceEvent = {kind: 'ended', text: 'exited with code 1', spawned: true};

test('it starts, is ready and stops', (t) => {
	const {state, effects} = run([
		[0, start],
		[5, ready],
		[10, stop],
		[12, ended],
	]);
	t.is(state.kind, 'stopped');
	t.deepEqual(effects, ['spawn', 'terminate']);
});

test('the back-off doubles with each failure and ends at its limit', (t) => {
	const delays: number[] = [];
	let events: readonly (readonly [number, ServiceEvent])[] = [[0, start]];
	let nowMs = 0;
	for (let failure = 0; failure < 6; failure += 1) {
		nowMs += 1;
		events = [...events, [nowMs, ended]];
		const {state} = run(events);
		t.is(state.kind, 'waiting');
		delays.push(state.kind === 'waiting' ? state.untilMs - nowMs : -1);
		nowMs += delays.at(-1) ?? 0;
		events = [...events, [nowMs, deadline]];
	}
	t.deepEqual(delays, [10, 20, 40, 80, 80, 80]);
	t.is(run(events).state.restarts, 6);
});

test('a steady run wipes earlier failures out', (t) => {
	const failed = [
		[0, start],
		[1, ended],
		[11, deadline],
		[12, ended],
		[32, deadline],
		[33, ready],
	] as const;
	const {state} = run([...failed, [2000, ended]], {heartbeatTimeoutMs: undefined});
	t.like(state, {kind: 'waiting', attempt: 0, untilMs: 2010});
	t.like(run([...failed, [900, ended]]).state, {kind: 'waiting', attempt: 2});
});

test('what is not ready in time is terminated, then killed, then started again', (t) => {
	const alive = [
		[30, heartbeat],
		[60, heartbeat],
		[90, heartbeat],
	] as const;
	const late = [[0, start], ...alive, [100, deadline]] as const;
	t.like(run(late).state, {kind: 'stopping', failure: {kind: 'start-timeout'}});
	t.deepEqual(run([...late, [150, deadline], [151, ended], [161, deadline]]).effects, [
		'spawn',
		'terminate',
		'kill',
		'spawn',
	]);
});

test('what falls silent is terminated', (t) => {
	const events = [
		[0, start],
		[1, ready],
		[39, heartbeat],
		[60, deadline],
		[79, deadline],
	] as const;
	t.like(run(events.slice(0, 4)).state, {kind: 'running'});
	t.like(run(events).state, {kind: 'stopping', failure: {kind: 'heartbeat-lost'}});
});

test('an order to stop while it waits means that it stays down', (t) => {
	const {state, effects} = run([
		[0, start],
		[1, ended],
		[2, stop],
		[500, deadline],
	]);
	t.is(state.kind, 'stopped');
	t.deepEqual(effects, ['spawn']);
});

test('an order to stop wins over a restart that is under way', (t) => {
	t.is(
		run([
			[0, start],
			[1, ready],
			[2, {kind: 'restart', text: 'asked'}],
			[3, stop],
			[4, ended],
		]).state.kind,
		'stopped',
	);
});

test('whatever happens in whatever order, there is never a second process, and it always ends', (t) => {
	const kinds = ['start', 'ready', 'heartbeat', 'deadline', 'stop', 'ended', 'restart'] as const;
	const step = fc.record({
		kind: fc.constantFrom(...kinds),
		waitMs: fc.integer({min: 0, max: 200}),
		random: fc.double({min: 0, max: 1, noNaN: true}),
	});
	fc.assert(
		fc.property(fc.array(step, {maxLength: 200}), (steps) => {
			let state: ServiceState = {kind: 'stopped', sinceMs: 0, restarts: 0};
			let nowMs = 0;
			let processes = 0;
			for (const {kind, waitMs, random} of steps) {
				nowMs += waitMs;
				if (kind === 'ended' && processes === 0) {
					continue;
				}
				processes -= kind === 'ended' ? 1 : 0;
				const event: ServiceEvent = kind === 'ended' ? ended : kind === 'restart' ? {kind, text: 'asked'} : {kind};
				const next = transition(state, event, {nowMs, policy, random: () => random});
				state = next.state;
				processes += next.effects.filter((effect) => effect.kind === 'spawn').length;
				// A process exists exactly in the states that have one, and none of them waits for ever.
				const alive: boolean = state.kind === 'starting' || state.kind === 'running' || state.kind === 'stopping';
				t.is(processes, alive ? 1 : 0);
				t.true(
					state.kind === 'stopped' ||
						(state.kind === 'stopping' && state.killed) ||
						deadlineOf(state, policy) !== undefined,
				);
			}
		}),
		{numRuns: 300},
	);
});
