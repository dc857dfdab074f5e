import test from 'ava';
import type {UpdatePhase} from '#appliance/contract/fleet/update-schema.ts';
import type {BoxDetail} from '#ota/contract/box-api.ts';
import type {Slot} from '#test/bench/powercut/boot-variables.ts';
import {cutPhases, PhaseClock} from '#test/bench/powercut/cut-phase.ts';
import type {Sight} from '#test/bench/powercut/sight.ts';
import {deviceId, sampleReported, sampleTimeMs} from '#test/helper/sample-box.ts';

const boxOf = (healthy: boolean): BoxDetail => ({
	...{id: deviceId('stb-1'), kind: 'stb', site: null, tags: [], model: '', serial: '', release: '1.0.0'},
	...{presence: 'online', lastSeenMs: sampleTimeMs, health: 'ok', timeZone: 'UTC', enrolledMs: 0, revokedMs: null},
	update: {phase: 'idle', orderId: null, release: null, reason: null},
	...{reported: sampleReported('stb-1', {healthy}), desiredRevision: 0, desiredKeptRevision: 0, config: {}},
});

/** A box on its way: what it tells, which slots GRUB has booted, which is next, and the tries of the new one. */
const sight = (
	phase: UpdatePhase,
	{boots, first = 'A', tries = 0}: {readonly boots: readonly Slot[]; readonly first?: Slot; readonly tries?: number},
	box: BoxDetail | undefined = boxOf(true),
): Sight => ({
	...{box, phase, rollout: undefined, boots},
	variables: {first, order: ['A', 'B', 'R'], ok: {A: true, B: first === 'B'}, tries: {A: 0, B: tries}},
});

const way: readonly (readonly [Sight, string | undefined])[] = [
	[{...sight('idle', {boots: []}), box: undefined}, undefined],
	[{...sight('idle', {boots: ['A']}), box: undefined}, 'enrolment'],
	[sight('idle', {boots: ['A']}, boxOf(false)), 'enrolment'],
	[sight('accepted', {boots: ['A']}), undefined],
	[sight('fetching', {boots: ['A']}), 'download'],
	[sight('verified', {boots: ['A']}), undefined],
	[sight('installing', {boots: ['A']}), 'slot write'],
	[sight('installing', {boots: ['A'], first: 'B'}), 'after the switch'],
	[sight('rebooting', {boots: ['A'], first: 'B'}), 'after the switch'],
	[sight('rebooting', {boots: ['A', 'B'], first: 'B', tries: 1}), 'first boot'],
	[sight('confirming', {boots: ['A', 'B'], first: 'B', tries: 1}), 'before confirm'],
	[sight('confirming', {boots: ['A', 'B'], first: 'B'}), 'marking good'],
	[sight('confirmed', {boots: ['A', 'B'], first: 'B'}), undefined],
];

test('an update goes through the phases one after the other, and is in one of them at a time', (t) => {
	for (const [seen, expected] of way) {
		const present = cutPhases.filter(({begins, ends}) => begins(seen) && !ends(seen)).map(({name}) => name);
		t.deepEqual(present, expected === undefined ? [] : [expected], JSON.stringify(seen.phase));
	}
});

test('what a phase takes is known from the longest that was seen, and not from one that a cut has ended', (t) => {
	const clock = new PhaseClock();
	const [guessed] = cutPhases.filter(({name}) => name === 'download');
	t.truthy(guessed);
	t.is(clock.expectedMs('download'), guessed?.guessMs ?? Number.NaN);
	const [fetching, verified] = [sight('fetching', {boots: ['A']}), sight('verified', {boots: ['A']})];
	for (const [beginMs, endMs] of [
		[0, 500],
		[1000, 1700],
		[2000, 2100],
	] as const) {
		clock.see(fetching, beginMs);
		clock.see(verified, endMs);
	}
	t.is(clock.expectedMs('download'), 700);
	clock.see(fetching, 3000);
	clock.forget();
	clock.see(verified, 9000);
	t.is(clock.expectedMs('download'), 700);
});
