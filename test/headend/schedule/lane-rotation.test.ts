import test from 'ava';
import fc from 'fast-check';
import {LaneRotation} from '#headend/schedule/lane-rotation.ts';
import type {PlanObject} from '#headend/schedule/plan-carousel.ts';

const object = (order: number, options: Partial<PlanObject> = {}): PlanObject => ({
	path: `o/${order}`,
	priority: 'medium',
	sizeBytes: 1000,
	wireBytes: 1000,
	order,
	revision: order,
	...options,
});
const now = {nowMs: 0, minimumGapMs: 0};

const drain = (rotation: LaneRotation, options = now): string[] => {
	const paths: string[] = [];
	for (let next = rotation.next(options); next !== undefined; next = rotation.next(options)) {
		paths.push(next.path);
	}
	return paths;
};

test('each object is sent once per pass, and then the lane is done', (t) => {
	const rotation = new LaneRotation();
	rotation.replan([object(1), object(2), object(3)]);
	rotation.startRound(1);
	t.deepEqual(drain(rotation).sort(), ['o/1', 'o/2', 'o/3']);
	t.true(rotation.isDone);
	rotation.startRound(2);
	t.deepEqual(drain(rotation), ['o/1', 'o/2', 'o/3', 'o/1', 'o/2', 'o/3']);
});

test('whatever comes and goes, nobody that stays waits longer than one pass and as many bytes of new objects', (t) => {
	fc.assert(
		fc.property(
			fc.array(fc.record({add: fc.integer({min: 0, max: 3}), remove: fc.boolean()}), {minLength: 50, maxLength: 150}),
			(steps) => {
				const rotation = new LaneRotation();
				let objects = Array.from({length: 10}, (_, order) => object(order));
				let order = objects.length;
				rotation.replan(objects);
				rotation.startRound(1);
				const sent: string[] = [];
				for (const {add, remove} of steps) {
					// The first ten stay; what came later may go.
					objects = remove && objects.length > 10 ? objects.slice(0, -1) : objects;
					for (let index = 0; index < add; index += 1) {
						objects = [...objects, object(order)];
						order += 1;
					}
					rotation.replan(objects);
					if (rotation.isDone) {
						rotation.startRound(1);
					}
					const next = rotation.next(now);
					if (next !== undefined) {
						sent.push(next.path);
					}
				}
				// Half of what was sent is theirs until each has had its turn.
				const needed = 2 * 10 + 2;
				return Array.from({length: 10}, (_, index) => `o/${index}`).every(
					(path) => sent.slice(0, needed).includes(path) || sent.length < needed,
				);
			},
		),
		{seed: 1},
	);
	t.pass();
});

test('what was never on air goes before what was', (t) => {
	const rotation = new LaneRotation();
	rotation.replan([object(1), object(2), object(3), object(4)]);
	rotation.startRound(1);
	drain(rotation);
	rotation.startRound(1);
	t.is(rotation.next(now)?.path, 'o/1');
	rotation.replan([object(1), object(2), object(3), object(4), object(5)]);
	t.is(rotation.next(now)?.path, 'o/5');
	t.is(rotation.next(now)?.path, 'o/2');
});

test('a replaced object is new again', (t) => {
	const rotation = new LaneRotation();
	rotation.replan([object(1), object(2)]);
	rotation.startRound(1);
	drain(rotation);
	rotation.replan([object(1), object(2, {revision: 99})]);
	t.false(rotation.isDone);
	t.is(rotation.next(now)?.revision, 99);
	t.true(rotation.next(now) === undefined);
});

test('a plan that changes keeps everybody in their turn', (t) => {
	const rotation = new LaneRotation();
	const all = Array.from({length: 6}, (_, order) => object(order));
	rotation.replan(all);
	rotation.startRound(1);
	drain(rotation);
	rotation.startRound(1);
	t.is(rotation.next(now)?.path, 'o/0');
	t.is(rotation.next(now)?.path, 'o/1');
	rotation.replan(all.filter(({order}) => order !== 0 && order !== 3));
	t.deepEqual(drain(rotation), ['o/2', 'o/4', 'o/5']);
});

test('nothing is sent again before its gap is over', (t) => {
	const rotation = new LaneRotation();
	rotation.replan([object(1)]);
	rotation.startRound(3);
	t.deepEqual(drain(rotation, {nowMs: 0, minimumGapMs: 100}), ['o/1']);
	rotation.startRound(1);
	t.deepEqual(drain(rotation, {nowMs: 99, minimumGapMs: 100}), []);
	rotation.startRound(1);
	t.deepEqual(drain(rotation, {nowMs: 100, minimumGapMs: 100}), ['o/1']);
});
