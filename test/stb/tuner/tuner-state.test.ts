import test from 'ava';
import type {Carrier} from '#stb/tuner/carrier.ts';
import {carrierOf, type TunerEvent, type TunerState, transition, tunerStateAtStart} from '#stb/tuner/tuner-state.ts';

const carrier = (frequencyKhz: number): Carrier => ({
	...{system: 'DVB-S2', frequencyKhz, polarization: 'vertical', symbolRate: 27_500_000},
});
const [first, second, third] = [carrier(11_000_000), carrier(11_500_000), carrier(12_000_000)];
const locked: TunerEvent = {kind: 'locked', lockMs: 120};

const after = (events: readonly TunerEvent[], start = tunerStateAtStart([first, second])): TunerState =>
	events.reduce(transition, start);
const shown = (state: TunerState): readonly unknown[] => [state.kind, carrierOf(state)?.frequencyKhz];

test('a box that finds its network at once goes straight there', (t) => {
	t.deepEqual(shown(after([{kind: 'opened'}])), ['searching', 11_000_000]);
	t.deepEqual(shown(after([{kind: 'opened'}, locked])), ['announcing', 11_000_000]);
	const state = after([{kind: 'opened'}, locked, {kind: 'announced'}]);
	t.like(state, {kind: 'acquiring', lockMs: 120});
});

test('dark and silent carriers are left for the next, round and round', (t) => {
	const dark: readonly TunerEvent[] = [{kind: 'opened'}, {kind: 'timeout'}];
	t.deepEqual(shown(after(dark)), ['searching', 11_500_000]);
	t.deepEqual(shown(after([...dark, locked, {kind: 'timeout'}])), ['searching', 11_000_000]);
	t.deepEqual(shown(after([...dark, locked, {kind: 'unlocked'}])), ['searching', 11_000_000]);
});

test('what a carrier tells of is tried, and a foreign network is not waited for', (t) => {
	const told: TunerEvent = {kind: 'told', carriers: [third, carrier(11_000_500)], elsewhere: false};
	const state = after([{kind: 'opened'}, locked, told]);
	t.deepEqual(shown(state), ['announcing', 11_000_000]);
	t.deepEqual(
		state.carriers.map(({frequencyKhz}) => frequencyKhz),
		[11_000_000, 11_500_000, 12_000_000],
	);
	t.deepEqual(shown(transition(state, {...told, elsewhere: true})), ['searching', 11_500_000]);
	t.deepEqual(shown(after([{kind: 'opened'}, told], tunerStateAtStart([]))), ['searching', 12_000_000]);
	t.deepEqual(shown(after([{kind: 'opened'}, locked, {kind: 'announced'}, {...told, elsewhere: true}])), [
		'acquiring',
		11_000_000,
	]);
});

test('a lost carousel is waited for where it was, and only then elsewhere', (t) => {
	const lost = after([{kind: 'opened'}, locked, {kind: 'announced'}, {kind: 'unlocked'}]);
	t.deepEqual(shown(lost), ['lost', 11_000_000]);
	t.deepEqual(shown(transition(lost, {kind: 'locked', lockMs: 9})), ['acquiring', 11_000_000]);
	t.deepEqual(shown(transition(lost, {kind: 'timeout'})), ['searching', 11_500_000]);
});

test('a device that goes and comes begins with the carrier that had the carousel', (t) => {
	const acquired = after([{kind: 'opened'}, {kind: 'timeout'}, locked, {kind: 'announced'}]);
	const gone = transition(acquired, {kind: 'gone'});
	t.is(gone.kind, 'absent');
	t.deepEqual(shown(transition(gone, {kind: 'opened'})), ['searching', 11_500_000]);
	t.is(gone.carriers.length, 2);
	t.deepEqual(shown(after([{kind: 'gone'}, {kind: 'opened'}])), ['searching', 11_000_000]);
});

test('without anything to tune to it is idle', (t) => {
	t.is(after([{kind: 'opened'}], tunerStateAtStart([])).kind, 'idle');
});

test('no event but its own moves a state', (t) => {
	const events: readonly TunerEvent[] = [
		{kind: 'opened'},
		locked,
		{kind: 'timeout'},
		{kind: 'unlocked'},
		{kind: 'announced'},
	];
	const expected: Readonly<Record<TunerState['kind'], readonly TunerEvent['kind'][]>> = {
		absent: ['opened'],
		idle: [],
		searching: ['locked', 'timeout'],
		announcing: ['announced', 'timeout', 'unlocked'],
		acquiring: ['unlocked'],
		lost: ['locked', 'timeout'],
	};
	const carriers = [first, second];
	const states: readonly TunerState[] = [
		{kind: 'absent', carriers},
		{kind: 'idle', carriers},
		{kind: 'searching', carriers, index: 0},
		{kind: 'announcing', carriers, index: 0, lockMs: 1},
		{kind: 'acquiring', carriers, index: 0, lockMs: 1},
		{kind: 'lost', carriers, index: 0},
	];
	for (const state of states) {
		const moving = events.filter((event) => transition(state, event) !== state).map(({kind}) => kind);
		t.deepEqual(moving.toSorted(), [...expected[state.kind]].toSorted(), state.kind);
	}
});
