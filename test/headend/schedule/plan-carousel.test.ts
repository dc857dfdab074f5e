import test from 'ava';
import fc from 'fast-check';
import {carouselPriorities, type PlanObject, type PlanRequest, planCarousel} from '#headend/schedule/plan-carousel.ts';
import {timelineOf} from '#headend/schedule/plan-timeline.ts';

const shares = {high: 0.5, medium: 0.3, low: 0.2};

const objectsArbitrary = fc
	.array(
		fc.record({
			priority: fc.constantFrom(...carouselPriorities),
			wireBytes: fc.oneof(fc.integer({min: 100, max: 5000}), fc.integer({min: 5000, max: 3_000_000})),
		}),
		{maxLength: 60},
	)
	.map((objects) =>
		objects.map(
			({priority, wireBytes}, index): PlanObject => ({
				path: `o/${index}`,
				priority,
				sizeBytes: wireBytes,
				wireBytes,
				order: index,
				revision: index,
			}),
		),
	);

const requestArbitrary: fc.Arbitrary<PlanRequest> = fc.record({
	objects: objectsArbitrary,
	rateBps: fc.integer({min: 10_000, max: 20_000_000}),
	reservedBps: fc.integer({min: 0, max: 1_000_000}),
	cycleMs: fc.integer({min: 1000, max: 60_000}),
	shares: fc.constant(shares),
	repeatsMax: fc.integer({min: 1, max: 8}),
});

const sum = (objects: readonly PlanObject[]): number => objects.reduce((total, {wireBytes}) => total + wireBytes, 0);

test('a round never needs more than the rate and never lasts longer than the cycle', (t) => {
	fc.assert(
		fc.property(requestArbitrary, (request) => {
			const plan = planCarousel(request);
			const roundBytes = plan.lanes.reduce((total, {wireBytes, repeats}) => total + wireBytes * repeats, 0);
			return roundBytes <= plan.capacityBytes && plan.roundMs <= request.cycleMs + 1;
		}),
		{seed: 1},
	);
	t.pass();
});

test('every object is either planned exactly once per pass or said not to fit, with a reason', (t) => {
	fc.assert(
		fc.property(requestArbitrary, (request) => {
			const plan = planCarousel(request);
			const planned = plan.lanes.flatMap(({objects}) => objects.map(({path}) => path));
			const all = [...planned, ...plan.doesNotFit.map(({path}) => path)];
			return (
				new Set(all).size === all.length &&
				all.length === request.objects.length &&
				plan.doesNotFit.every(({reason}) => reason.length > 20)
			);
		}),
		{seed: 2},
	);
	t.pass();
});

test('a priority has its share of the cycle whatever the others want, up to one object', (t) => {
	fc.assert(
		fc.property(requestArbitrary, (request) => {
			const plan = planCarousel(request);
			return plan.lanes.every(({priority, objects}) => {
				const wanted = request.objects.filter((object) => object.priority === priority);
				const guaranteedBytes = plan.capacityBytes * shares[priority];
				const missing = wanted.filter(({path}) => !objects.some((object) => object.path === path));
				// First fit leaves less room than the smallest object that stayed outside.
				return missing.every(({wireBytes}) => sum(objects) + wireBytes > guaranteedBytes);
			});
		}),
		{seed: 3},
	);
	t.pass();
});

test('what fits altogether fits, whatever its priorities', (t) => {
	fc.assert(
		fc.property(requestArbitrary, (request) => {
			const plan = planCarousel(request);
			return sum(request.objects) > plan.capacityBytes || plan.doesNotFit.length === 0;
		}),
		{seed: 4},
	);
	t.pass();
});

test('the same request in another order gives the same plan', (t) => {
	fc.assert(
		fc.property(requestArbitrary, (request) => {
			const other = {...request, objects: [...request.objects].reverse()};
			return JSON.stringify(planCarousel(request)) === JSON.stringify(planCarousel(other));
		}),
		{seed: 5},
	);
	t.pass();
});

test('a new object never takes the place of an older one of its priority', (t) => {
	fc.assert(
		fc.property(requestArbitrary, fc.constantFrom(...carouselPriorities), (request, priority) => {
			const objects = request.objects.map((object) => ({...object, priority}));
			const before = planCarousel({...request, objects: objects.slice(0, -1)});
			const after = planCarousel({...request, objects});
			const kept = new Set(after.lanes.flatMap((lane) => lane.objects.map(({path}) => path)));
			return before.lanes.every((lane) => lane.objects.every(({path}) => kept.has(path)));
		}),
		{seed: 6},
	);
	t.pass();
});

test('the timeline keeps the rate at every moment and sends each object as often as planned', (t) => {
	fc.assert(
		fc.property(requestArbitrary, (request) => {
			const plan = planCarousel(request);
			const slots = timelineOf(plan);
			const expected = plan.lanes.reduce((total, {objects, repeats}) => total + objects.length * repeats, 0);
			const bytesPerMs = plan.availableBps / 8000;
			const lastMs = Math.max(0, ...slots.map(({endMs}) => endMs));
			// Everything that has ended by a moment must have fitted into the time until then.
			const ended = [...slots].sort((a, b) => a.endMs - b.endMs);
			let bytes = 0;
			const isPaced = ended.every(({endMs, wireBytes}) => {
				bytes += wireBytes;
				return bytes <= endMs * bytesPerMs * 1.000_001 + 1;
			});
			return slots.length === expected && isPaced && lastMs <= request.cycleMs + 1;
		}),
		{seed: 7},
	);
	t.pass();
});

test('no rate left for the carousel means that nothing fits, and says so', (t) => {
	const plan = planCarousel({
		objects: [{path: 'a', priority: 'high', sizeBytes: 1, wireBytes: 100, order: 0, revision: 0}],
		rateBps: 1000,
		reservedBps: 5000,
		cycleMs: 1000,
		shares,
		repeatsMax: 4,
	});
	t.is(plan.doesNotFit.length, 1);
	t.is(plan.roundMs, 0);
	t.deepEqual(timelineOf(plan), []);
});

test('high repeats while low takes its time', (t) => {
	const object = (path: string, priority: 'high' | 'low', wireBytes: number, order: number): PlanObject => ({
		path,
		priority,
		wireBytes,
		sizeBytes: wireBytes,
		order,
		revision: order,
	});
	const plan = planCarousel({
		objects: [object('h', 'high', 1000, 0), object('l', 'low', 4000, 1)],
		rateBps: 800_000,
		reservedBps: 0,
		cycleMs: 10_000,
		shares,
		repeatsMax: 8,
	});
	t.deepEqual(
		plan.lanes.map(({repeats}) => repeats),
		[8, 1, 1],
	);
	t.is(plan.roundMs, 120);
});
