import test from 'ava';
import fc from 'fast-check';
import {advanceSpool, type SpoolAhead, type SpoolPosition} from '#ota/fleet/ingest/advance-spool.ts';

const none: SpoolAhead = {telemetry: new Map(), event: new Map()};
const place = (sequence: number, after = sequence - 1, epoch = 'e') =>
	({topic: 'event', epoch, sequence, after}) as const;

test('records in order move the position, and come twice in vain', (t) => {
	const {position, fresh} = advanceSpool({position: undefined, ahead: none}, [place(1), place(2), place(2), place(1)]);
	t.deepEqual(position, {epoch: 'e', telemetry: 0, event: 2});
	t.deepEqual(fresh, [true, true, false, false]);
});

test('a record beyond a hole is new, and is not acknowledged before the hole is filled', (t) => {
	const first = advanceSpool({position: {epoch: 'e', telemetry: 0, event: 1}, ahead: none}, [place(3)]);
	t.is(first.position.event, 1);
	t.deepEqual(first.fresh, [true]);
	const second = advanceSpool(first, [place(3), place(2)]);
	t.deepEqual(second.fresh, [false, true]);
	t.is(second.position.event, 3);
	t.is(second.ahead.event.size, 0);
});

test('what the box had to forget is jumped', (t) => {
	const {position} = advanceSpool({position: {epoch: 'e', telemetry: 0, event: 4}, ahead: none}, [place(90, 0)]);
	t.is(position.event, 90);
});

test('a new epoch begins at its own beginning', (t) => {
	const {position, fresh} = advanceSpool({position: {epoch: 'e', telemetry: 7, event: 4}, ahead: none}, [
		place(1, 0, 'f'),
	]);
	t.deepEqual(position, {epoch: 'f', telemetry: 0, event: 1});
	t.deepEqual(fresh, [true]);
});

test('however records are shuffled, cut into batches and sent again, each is new once and all are acknowledged', (t) => {
	fc.assert(
		fc.property(
			fc.array(fc.integer({min: 1, max: 30}), {maxLength: 90}),
			fc.integer({min: 1, max: 7}),
			(order, batchLength) => {
				const sent = [...order, ...Array.from({length: 30}, (_, index) => index + 1)];
				let state: {position: SpoolPosition | undefined; ahead: SpoolAhead} = {position: undefined, ahead: none};
				const taken: number[] = [];
				for (let from = 0; from < sent.length; from += batchLength) {
					const batch = sent.slice(from, from + batchLength);
					const {fresh, ...next} = advanceSpool(
						state,
						batch.map((sequence) => place(sequence)),
					);
					taken.push(...batch.filter((_, index) => fresh[index]));
					state = next;
					const position = next.position.event;
					const inDatabase = new Set(taken);
					t.true(Array.from({length: position}, (_, index) => index + 1).every((each) => inDatabase.has(each)));
				}
				t.is(taken.length, 30);
				t.is(state.position?.event, 30);
			},
		),
	);
});
