import test from 'ava';
import fc from 'fast-check';
import {agentLimits} from '#ota/agent/agent-limits.ts';
import {transition} from '#ota/agent/transition.ts';
import type {UpdateEvent} from '#ota/agent/update-event.ts';
import {type ActiveState, isActive, isEnded, type UpdateState, updateStateSchema} from '#ota/agent/update-state.ts';
import {withoutStore} from '#ota/agent/without-store.ts';
import type {BootVerdict} from '#ota/slot/slot-installer.ts';
import {sampleOrder} from '#test/helper/sample-update.ts';

const order = sampleOrder({bytes: Buffer.from('bundle'), order: {attemptsMax: 3}});
const reason = {code: 'OTA_FAILED_INSTALL', message: 'no'};
const bytes = fc.record({carousel: fc.nat(99), local: fc.nat(99), unicast: fc.nat(99)});
const slot = fc.constantFrom('slot-a', 'slot-b', 'slot-r');
const fallback = fc.constantFrom(undefined, {origin: 'bootloader', detail: 'tried'} as const);
const factoryMark = (bootedSlot: string) => (bootedSlot === 'slot-r' ? {isFactory: true as const} : {});
const release = fc.constantFrom(undefined, order.release, '1.0.0' as typeof order.release);

const events: fc.Arbitrary<UpdateEvent> = fc.oneof(
	fc.constant({kind: 'assigned', order, origin: 'fleet', expiresMs: undefined} as const),
	fc.constant({kind: 'withdrawn'} as const),
	fc.record({
		kind: fc.constant('started' as const),
		bytes,
		verdict: fc
			.record({bootedSlot: slot, release, fallback})
			.map((told): BootVerdict => ({...told, ...factoryMark(told.bootedSlot)})),
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
	),
	fc.record({kind: fc.constant('failed' as const), reason: fc.constant(reason), retryable: fc.boolean()}),
);
const boots = fc.constantFrom('boot-1', 'boot-2', 'boot-3');
const limits = {...agentLimits, stepsMax: 60};

/** An event, the boot in which it comes, and whether the disk takes what it leads to. */
type Told = readonly [event: UpdateEvent, bootId: string, isWritten: boolean];
const told = fc.tuple(
	events,
	boots,
	fc.integer({min: 0, max: 15}).map((number) => number > 0),
);

const step = (before: UpdateState, [event, bootId, isWritten]: Told): ReturnType<typeof transition> => {
	const context = {nowMs: 1, bootId, limits, random: () => 0};
	const next = transition(before, event, context);
	const isNothing = next.state === before && next.effects.length === 0;
	return isWritten || isNothing ? next : withoutStore({before, event, next}, {detail: 'read-only', context});
};

const follow = (
	all: readonly Told[],
	onStep: (before: UpdateState, event: UpdateEvent, after: UpdateState, effects: readonly string[]) => void,
): UpdateState => {
	let state: UpdateState = {kind: 'idle', sinceMs: 0};
	for (const one of all) {
		const next = step(state, one);
		onStep(
			state,
			one[0],
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
			fc.property(fc.array(told, {maxLength: 80}), (all) => {
				follow(all, (before, event, after, effects) => {
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
					const rescued = event.kind === 'started' && event.verdict.isFactory === true && isActive(before);
					if (rescued && 'fromSlot' in before && before.fromSlot !== 'slot-r') {
						const isLeft = effects.some((kind) => kind === 'reboot' || kind === 'revert');
						t.false(
							isLeft || effects.includes('check') || after.kind === 'confirmed',
							'the rescue slot is on no trial',
						);
					}
					if (before.kind === 'cancelling' && isEnded(after)) {
						const isUndone = event.kind === 'cancelled' || (rescued && event.verdict.fallback !== undefined);
						t.true(isUndone, `${event.kind} ends it, and the new slot may be the next`);
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
			fc.property(fc.array(told, {maxLength: 40}), fc.infiniteStream(told), (all, more) => {
				let state = follow(all, () => undefined);
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
				for (const one of more) {
					if (!isActive(state) || steps > 2000) {
						break;
					}
					steps += 1;
					({state} = step(state, one));
				}
				t.false(isActive(state), `still ${state.kind}`);
			}),
			{numRuns: 300, seed: 11},
		),
	);
});

const job: ActiveState['job'] = {
	...{order, origin: 'fleet', attempt: 1, steps: 0, restarts: 0, bootId: 'boot-1'},
	bytes: {carousel: 0, local: 0, unicast: 0},
};
const slotted = {job, sinceMs: 0, fromSlot: 'slot-a'};
const checksFailed = {code: 'OTA_ROLLED_BACK_CHECKS', message: 'black'};
const panic = {origin: 'panic', detail: 'Kernel panic'} as const;
const startIn = (state: UpdateState, verdict: BootVerdict, restarts = 0): ReturnType<typeof transition> => {
	const before = isActive(state) ? {...state, job: {...state.job, restarts}} : state;
	const event = {kind: 'started', verdict, bytes: job.bytes} as const;
	return transition(before, event, {nowMs: 1, bootId: 'boot-2', limits, random: () => 0});
};
const rescue: BootVerdict = {bootedSlot: 'slot-r', release: order.release, isFactory: true, fallback: panic};

for (const [state, code] of [
	[{kind: 'installing', ...slotted}, 'OTA_ROLLED_BACK_PANIC'],
	[{kind: 'cancelling', ...slotted, reason, retry: true, tries: 1}, 'OTA_ROLLED_BACK_PANIC'],
	[{kind: 'rebooting', ...slotted, tries: 1}, 'OTA_ROLLED_BACK_PANIC'],
	[{kind: 'confirming', ...slotted, boots: 3}, 'OTA_ROLLED_BACK_PANIC'],
	[{kind: 'committing', ...slotted, tries: 1}, 'OTA_ROLLED_BACK_PANIC'],
	[{kind: 'reverting', ...slotted, reason: checksFailed, tries: 3}, checksFailed.code],
] as const satisfies readonly (readonly [UpdateState, string])[]) {
	test(`a box that comes up in its rescue slot while ${state.kind} has rolled back, and says why`, (t) => {
		for (const restarts of [0, limits.restartsMax]) {
			const {state: ended, effects} = startIn(state, rescue, restarts);
			t.like(ended, {kind: 'rolled-back', reason: {code}});
			t.deepEqual(effects, [{kind: 'clean', keep: false}]);
		}
	});
}

test('a rescue slot that was booted in between takes the new slot back, and the order is tried again', (t) => {
	const between = {...rescue, fallback: undefined};
	const {state, effects} = startIn({kind: 'rebooting', ...slotted, tries: 1}, between);
	t.like(state, {kind: 'cancelling', retry: true});
	t.deepEqual(effects, [{kind: 'cancel'}]);
});

test('a release that ran when it was ordered is not confirmed by the rescue slot', (t) => {
	const {state, effects} = startIn({kind: 'confirming', job, sinceMs: 0, boots: 1}, rescue);
	t.like(state, {kind: 'accepted', job: {attempt: 2}});
	t.deepEqual(effects, [{kind: 'judge'}]);
});

test('an update that was installed from the rescue slot is on trial in the slot that it was written to', (t) => {
	const verdict = {bootedSlot: 'slot-b', release: order.release, fallback: panic};
	t.is(startIn({kind: 'rebooting', ...slotted, fromSlot: 'slot-r', tries: 1}, verdict).state.kind, 'confirming');
	t.is(startIn({kind: 'rebooting', ...slotted, fromSlot: 'slot-r', tries: 1}, rescue).state.kind, 'rolled-back');
});

test('what was given up is taken back however often that fails and the agent is started, and whatever it costs', (t) => {
	let state: UpdateState = {kind: 'cancelling', ...slotted, reason, retry: true, tries: 1};
	const context = {nowMs: 1, bootId: 'boot-1', limits, random: () => 0};
	const old = {bootedSlot: 'slot-a', release: undefined, fallback: undefined};
	for (let round = 0; round < 2 * limits.stepsMax; round++) {
		const failed = {kind: 'failed', reason, retryable: false} as const;
		const started = {kind: 'started', verdict: old, bytes: job.bytes} as const;
		const next = transition(state, round % 4 === 0 ? started : failed, context);
		t.is(next.state.kind, 'cancelling');
		t.deepEqual(next.effects, [{kind: 'cancel'}]);
		state = next.state;
	}
	t.is(transition(state, {kind: 'cancelled'}, context).state.kind, 'failed', 'it has cost too much to be tried again');
	const onNew = {bootedSlot: 'slot-b', release: order.release, fallback: undefined};
	t.like(startIn(state, onNew), {state: {kind: 'reverting'}, effects: [{kind: 'revert'}]});
});
