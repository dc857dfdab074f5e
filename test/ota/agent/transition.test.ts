import test from 'ava';
import fc from 'fast-check';
import {agentLimits} from '#ota/agent/agent-limits.ts';
import {transition} from '#ota/agent/transition.ts';
import type {UpdateEvent} from '#ota/agent/update-event.ts';
import {isActive, isEnded, type UpdateState, updateStateSchema} from '#ota/agent/update-state.ts';
import {sampleOrder} from '#test/helper/sample-update.ts';

const order = sampleOrder({bytes: Buffer.from('bundle'), order: {attemptsMax: 3}});
const reason = {code: 'OTA_FAILED_INSTALL', message: 'no'};
const bytes = fc.record({carousel: fc.nat(99), local: fc.nat(99), unicast: fc.nat(99)});
const slot = fc.constantFrom('slot-a', 'slot-b');
const fallback = fc.constantFrom(undefined, {origin: 'bootloader', detail: 'tried'} as const);
const release = fc.constantFrom(undefined, order.release, '1.0.0' as typeof order.release);

const events: fc.Arbitrary<UpdateEvent> = fc.oneof(
	fc.constant({kind: 'assigned', order, origin: 'fleet', expiresMs: undefined} as const),
	fc.constant({kind: 'withdrawn'} as const),
	fc.record({
		kind: fc.constant('started' as const),
		bytes,
		verdict: fc.record({bootedSlot: slot, release, fallback}),
	}),
	fc.constant({kind: 'unobservable', detail: 'no bus'} as const),
	fc.record({kind: fc.constant('judged' as const), running: fc.boolean()}),
	fc.constant({kind: 'refused', reason} as const),
	fc.constant({kind: 'due'} as const),
	fc.record({kind: fc.constant('fetched' as const), bytes}),
	fc.record({kind: fc.constant('window-open' as const), bootedSlot: slot}),
	fc.constantFrom(
		{kind: 'installed'} as const,
		{kind: 'cancelled'} as const,
		{kind: 'checked'} as const,
		{kind: 'marked-good'} as const,
		{kind: 'store-failed', detail: 'read-only'} as const,
	),
	fc.record({kind: fc.constant('failed' as const), reason: fc.constant(reason), retryable: fc.boolean()}),
);
const boots = fc.constantFrom('boot-1', 'boot-2', 'boot-3');
const limits = {...agentLimits, stepsMax: 60};

const follow = (
	told: readonly (readonly [UpdateEvent, string])[],
	onStep: (before: UpdateState, event: UpdateEvent, after: UpdateState, effects: readonly string[]) => void,
): UpdateState => {
	let state: UpdateState = {kind: 'idle', sinceMs: 0};
	for (const [event, bootId] of told) {
		const next = transition(state, event, {nowMs: 1, bootId, limits, random: () => 0});
		onStep(
			state,
			event,
			next.state,
			next.effects.map(({kind}) => kind),
		);
		state = next.state;
	}
	return state;
};

test('whatever happens in whatever order, the state is one that can be kept, and nothing is confirmed without its checks', (t) => {
	t.notThrows(() =>
		fc.assert(
			fc.property(fc.array(fc.tuple(events, boots), {maxLength: 80}), (told) => {
				follow(told, (before, event, after, effects) => {
					updateStateSchema.parse(JSON.parse(JSON.stringify(after)));
					if (after.kind === 'confirmed' && before !== after) {
						const passed =
							(before.kind === 'committing' && event.kind === 'marked-good') ||
							(before.kind === 'confirming' && before.fromSlot === undefined && event.kind === 'checked');
						t.true(passed, `${before.kind} ${event.kind}`);
					}
					t.true(effects.filter((kind) => kind !== 'clean').length <= 1, 'one piece of work at a time');
					t.true(!(isEnded(after) && effects.some((kind) => kind !== 'clean')), 'nothing is done after the end');
					if (effects.includes('reboot')) {
						t.is(after.kind, 'rebooting');
					}
					if (effects.includes('mark-good')) {
						t.is(after.kind, 'committing');
					}
					if (isActive(after)) {
						t.true(after.job.attempt <= order.attemptsMax);
					}
					const beforeBoot = before.kind === 'accepted' || before.kind === 'fetching' || before.kind === 'verified';
					t.false(beforeBoot && after.kind === 'rolled-back', 'what was never booted is not rolled back');
				});
			}),
			{numRuns: 3000, seed: 7},
		),
	);
});

test('every active state has work to do when the agent starts in it, and an order always ends', (t) => {
	t.notThrows(() =>
		fc.assert(
			fc.property(
				fc.array(fc.tuple(events, boots), {maxLength: 40}),
				fc.infiniteStream(fc.tuple(events, boots)),
				(told, more) => {
					let state = follow(told, () => undefined);
					if (isActive(state)) {
						const verdict = {bootedSlot: 'slot-a', release: order.release, fallback: undefined};
						const started = {kind: 'started', verdict, bytes: {carousel: 0, local: 0, unicast: 0}} as const;
						const {state: next, effects} = transition(state, started, {
							nowMs: 1,
							bootId: 'boot-9',
							limits,
							random: () => 0,
						});
						t.true(isEnded(next) || effects.length === 1, `${state.kind} has nothing to do`);
					}
					let steps = 0;
					for (const [event, bootId] of more) {
						if (!isActive(state) || steps > 2000) {
							break;
						}
						steps += 1;
						({state} = transition(state, event, {nowMs: 1, bootId, limits, random: () => 0}));
					}
					t.false(isActive(state), `still ${state.kind}`);
				},
			),
			{numRuns: 300, seed: 11},
		),
	);
});
