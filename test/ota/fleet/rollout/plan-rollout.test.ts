import test from 'ava';
import fc from 'fast-check';
import {divideIntoGroups} from '#ota/fleet/rollout/divide-into-groups.ts';
import {planRollout, type QueuedBox} from '#ota/fleet/rollout/plan-rollout.ts';
import {type Fate, SimulatedRollout, specOf} from '#test/ota/fleet/rollout/simulated-rollout.ts';

const minuteMs = 60_000;
const good: Fate = {end: 'confirmed', stepMs: minuteMs};
const deadlines = {
	acceptMs: 600_000,
	fetchMs: 600_000,
	installMs: 600_000,
	rebootMs: 600_000,
	confirmMs: 600_000,
	graceMs: 1000,
};
const retry = {attemptsMax: 2, initialMs: 60_000, maxMs: 120_000};
const two = (first: object = {}, second: object = {}): object[] => [
	{name: 'canary', size: {kind: 'count', count: 2}, ...first},
	{name: 'rest', size: {kind: 'percent', percent: 100}, ...second},
];
const play = (rollout: SimulatedRollout, untilMs = 30 * 24 * 60 * minuteMs): void => {
	const endMs = rollout.nowMs + untilMs;
	while (rollout.state === 'running' && rollout.nowMs < endMs) {
		rollout.hear();
		rollout.turn();
		rollout.nowMs += minuteMs;
	}
};

const fateArbitrary: fc.Arbitrary<Fate> = fc.record({
	end: fc.constantFrom('confirmed', 'confirmed', 'confirmed', 'failed', 'refused', 'rolled-back', 'silent', 'dark'),
	stepMs: fc.integer({min: 1000, max: 900_000}),
});
const groupArbitrary = fc.record({
	name: fc.constant('g'),
	size: fc.oneof(
		fc.record({kind: fc.constant('percent'), percent: fc.integer({min: 1, max: 100})}),
		fc.record({kind: fc.constant('count'), count: fc.integer({min: 1, max: 20})}),
	),
	successPercent: fc.integer({min: 0, max: 100}),
	errorCount: fc.option(fc.integer({min: 1, max: 5})),
	errorPercent: fc.option(fc.integer({min: 1, max: 100})),
	errorAction: fc.constantFrom('pause', 'abort'),
	soakMs: fc.integer({min: 0, max: 3_600_000}),
});

test('any fleet, with any failures, timings and pauses, comes to an end within every limit', (t) => {
	t.notThrows(() =>
		fc.assert(
			fc.property(
				fc.array(fc.array(fateArbitrary, {minLength: 1, maxLength: 3}), {maxLength: 40}),
				fc.array(groupArbitrary, {minLength: 1, maxLength: 5}),
				fc.integer({min: 1, max: 12}),
				fc.integer({min: 1, max: 3}),
				fc.array(fc.integer({min: 0, max: 300}), {maxLength: 3}),
				(fates, groups, inFlightMax, attemptsMax, pausesAt) => {
					const rollout = new SimulatedRollout(
						specOf({groups, inFlightMax, deadlines, retry: {...retry, attemptsMax}}),
						fates,
					);
					for (let turn = 0; rollout.state === 'running' || rollout.state === 'paused'; turn += 1) {
						if (turn > 20_000) {
							return false;
						}
						rollout.hear();
						rollout.turn();
						if (rollout.state === 'running' && pausesAt.includes(turn)) {
							rollout.state = 'paused';
						} else if (rollout.state === 'paused' && turn % 7 === 0) {
							rollout.resume();
						}
						rollout.nowMs += 5 * minuteMs;
					}
					// A person who resumes again and again gets the rollout to its end; nobody is left open.
					return (
						rollout.state === 'aborted' ||
						rollout.boxes.every(({progress}) => ['done', 'failed'].includes(progress.state))
					);
				},
			),
			{numRuns: 150},
		),
	);
});

test('the second group starts only when enough of the first have confirmed', (t) => {
	const rollout = new SimulatedRollout(specOf({groups: two({soakMs: 0}), deadlines}), [[good], [good], [good], [good]]);
	rollout.turn();
	t.is(rollout.count('ordered'), 2);
	rollout.nowMs = 6.5 * minuteMs;
	rollout.hear();
	rollout.turn();
	t.deepEqual(
		rollout.groups.map(({state}) => state),
		['running', 'waiting'],
		'confirming is not confirmed',
	);
	rollout.nowMs = 7 * minuteMs;
	rollout.hear();
	rollout.turn();
	t.deepEqual(
		rollout.groups.map(({state}) => state),
		['done', 'running'],
	);
	play(rollout);
	t.is(rollout.state, 'finished');
});

test('a group waits for its soak time although all have confirmed', (t) => {
	const rollout = new SimulatedRollout(specOf({groups: two({soakMs: 86_400_000}), deadlines}), [
		[good],
		[good],
		[good],
	]);
	play(rollout, 86_400_000 - minuteMs);
	t.is(rollout.count('ordered', 1), 0);
	play(rollout);
	t.is(rollout.state, 'finished');
});

for (const [end, code] of [
	['silent', 'OTA_ROLLOUT_SILENT'],
	['dark', 'OTA_ROLLOUT_DARK'],
] as const) {
	test(`a box that is ${end} has failed after its deadline, and trips the threshold`, (t) => {
		const groups = two({errorCount: 1, errorPercent: null});
		const rollout = new SimulatedRollout(specOf({groups, deadlines}), [[{end, stepMs: 1}], [{end, stepMs: 1}], [good]]);
		play(rollout);
		t.is(rollout.state, 'paused');
		t.is(rollout.boxes.find(({progress}) => progress.state === 'failed')?.progress.reason?.code, code);
		t.is(rollout.count('ordered', 1) + rollout.count('done', 1), 0, 'nobody of the next group was touched');
	});
}

test('the error threshold aborts where that was asked for', (t) => {
	const groups = two({errorCount: 2, errorPercent: null, errorAction: 'abort'});
	const refused: Fate = {end: 'refused', stepMs: 1000};
	const rollout = new SimulatedRollout(specOf({groups}), [[refused], [refused], [refused]]);
	play(rollout);
	t.is(rollout.state, 'aborted');
});

test('a box that failed is ordered again as often as allowed, one that rolled back never', (t) => {
	const groups = [{name: 'all', size: {kind: 'percent', percent: 100}, errorPercent: null, successPercent: 0}];
	const fates: Fate[][] = [
		[{end: 'failed', stepMs: 1000}],
		[{end: 'rolled-back', stepMs: 1000}],
		[{end: 'failed', stepMs: 1000}, good],
	];
	const rollout = new SimulatedRollout(specOf({groups, deadlines, retry: {...retry, attemptsMax: 3}}), fates);
	play(rollout);
	const ordersOf = (id: string): readonly number[] => rollout.boxes.find((box) => box.id === id)?.orders ?? [];
	t.deepEqual(ordersOf('box-0'), [1, 2, 3]);
	t.deepEqual(ordersOf('box-1'), [1]);
	t.deepEqual(ordersOf('box-2'), [1, 2]);
	t.is(rollout.state, 'finished');
	t.deepEqual([rollout.count('done'), rollout.count('failed')], [1, 2]);
});

test('a group that can no longer succeed pauses the rollout instead of hanging, and goes on when a person accepts it', (t) => {
	const groups = two({errorPercent: null, successPercent: 100});
	const refused: Fate = {end: 'refused', stepMs: 1000};
	const rollout = new SimulatedRollout(
		specOf({groups, deadlines}),
		Array.from({length: 4}, () => [refused]),
	);
	play(rollout);
	t.is(rollout.state, 'paused');
	rollout.resume();
	rollout.turn();
	t.is(rollout.groups[1]?.state, 'running');
});

test('groups adjoin and are exact in number; one percent of a few is still one', (t) => {
	t.notThrows(() =>
		fc.assert(
			fc.property(
				fc.integer({min: 0, max: 300}),
				fc.array(
					fc.oneof(
						fc.record({kind: fc.constant('percent' as const), percent: fc.integer({min: 1, max: 100})}),
						fc.record({kind: fc.constant('count' as const), count: fc.integer({min: 1, max: 100})}),
					),
					{minLength: 1, maxLength: 6},
				),
				(count, sizes) => {
					const boxes = Array.from({length: count}, (_, index) => ({id: `box-${index}`}));
					const intervals = divideIntoGroups(boxes, {groups: sizes.map((size) => ({size})), salt: 'x'});
					let left = count;
					for (const [index, {boxes: members}] of intervals.entries()) {
						const size = sizes[index];
						const wanted = size?.kind === 'count' ? size.count : Math.ceil(((size?.percent ?? 0) * count) / 100);
						if (members.length !== (index === sizes.length - 1 ? left : Math.min(left, wanted))) {
							return false;
						}
						left -= members.length;
					}
					return (
						intervals.at(-1)?.to === 1 && intervals.every(({from}, index) => from === (intervals[index - 1]?.to ?? 0))
					);
				},
			),
		),
	);
});

test('shares keep to their borders, with no box known too', (t) => {
	const groups = [
		{size: {kind: 'share' as const, from: 0, to: 0.5}},
		{size: {kind: 'share' as const, from: 0.5, to: 0.75}},
	];
	const none = divideIntoGroups([], {groups, salt: 'x'});
	t.deepEqual(
		none.map(({from, to}) => [from, to]),
		[
			[0, 0.5],
			[0.5, 0.75],
		],
	);
	const boxes = Array.from({length: 1000}, (_, index) => ({id: `box-${index}`}));
	const sizes = divideIntoGroups(boxes, {groups, salt: 'x'}).map(({boxes: members}) => members.length);
	t.true(
		(sizes[0] ?? 0) > 430 && (sizes[0] ?? 0) < 570 && (sizes[1] ?? 0) > 190 && (sizes[1] ?? 0) < 310,
		String(sizes),
	);
});

test('one hundred thousand boxes are divided and their first orders planned in under a second', (t) => {
	const boxes = Array.from({length: 100_000}, (_, index) => ({id: `box-${index}`}));
	const spec = specOf({groups: two({}, {}), inFlightMax: 1_000_000});
	// Of the processor, not of the clock on the wall: other tests run beside this one.
	const begun = process.cpuUsage();
	const [first, rest] = divideIntoGroups(boxes, {groups: spec.groups, salt: 's'});
	const counts = {waiting: 0, ordered: 0, retrying: 0, done: 0, failed: 0, withdrawn: 0, skipped: 0};
	const queue = (rest?.boxes ?? []).map(({id}): QueuedBox => ({box: id, ordinal: 1, attempt: 0, fit: {kind: 'order'}}));
	const steps = planRollout({
		state: 'running',
		spec,
		isReleasePublished: true,
		nowMs: 0,
		due: [],
		queue,
		groups: spec.groups.map((group, ordinal) => ({
			ordinal,
			spec: group,
			state: ordinal === 0 ? 'done' : 'running',
			startedMs: 0,
			waived: 0,
			counts: ordinal === 0 ? {...counts, done: first?.boxes.length ?? 0} : {...counts, waiting: queue.length},
		})),
	});
	const {user, system} = process.cpuUsage(begun);
	const tookMs = (user + system) / 1000;
	t.log(`${Math.round(tookMs)} ms`);
	t.is(steps.length, 99_998);
	t.true(tookMs < 1000, `${tookMs} ms`);
});
