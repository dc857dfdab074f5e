import {createHash} from 'node:crypto';
import {mkdirSync, statSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {silentLogger} from '#appliance/log/logger.ts';
import {openLinkDatabase} from '#appliance/mqtt/link-database.ts';
import {createSpool, type Spool} from '#appliance/mqtt/spool.ts';
import {createSpoolRepository, type SpoolTopic, spoolTables} from '#appliance/mqtt/spool-repository.ts';
import {openDatabase} from '#appliance/store/open-database.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const minuteMs = 60_000;

const memorySpool = (bytesMax: number, nowMs: () => number = () => 0): Spool =>
	createSpool({
		repository: createSpoolRepository(openDatabase({path: ':memory:', migrations: [spoolTables]})),
		...{bytesMax, logger: silentLogger(), onRecord: () => undefined},
		clock: {nowMs, monotonicMs: nowMs},
	});

type Drained = {readonly sequences: readonly number[]; readonly bodies: readonly string[]};

/** Reads a topic as a fleet does: in order, each `after` at or below what it has. */
const drain = (t: ExecutionContext, spool: Spool, topic: SpoolTopic): Drained => {
	const sequences: number[] = [];
	const bodies: string[] = [];
	for (;;) {
		const record = spool.next(topic, 0);
		if (record === undefined) {
			return {sequences, bodies};
		}
		t.true(record.after <= (sequences.at(-1) ?? 0));
		sequences.push(record.sequence);
		bodies.push(record.body);
		spool.acknowledge(topic, record.sequence);
	}
};

test('an outage of 24 h loses no event, and only the oldest telemetry beyond the bound, told as one gap', (t) => {
	let nowMs = Date.parse('2026-11-20T00:00:00Z');
	const bytesMax = 256 * 1024;
	const spool = memorySpool(bytesMax, () => nowMs);
	const values = Object.fromEntries(Array.from({length: 12}, (_, index) => [`metric_${index}_bytes`, index * 1e6]));
	let events = 0;
	for (let minute = 0; minute < 24 * 60; minute += 1) {
		nowMs += minuteMs;
		spool.tellTelemetry([{atMs: nowMs, values}]);
		if (minute % 10 === 0) {
			events += 1;
			spool.tellEvent({kind: 'note', data: {minute}}, 'info');
		}
		t.true(spool.bytes() <= bytesMax);
	}
	const telemetry = drain(t, spool, 'telemetry');
	const first = telemetry.sequences[0] ?? 0;
	t.true(first > 1, 'the bound was reached');
	t.deepEqual(
		telemetry.sequences,
		Array.from({length: 24 * 60 - first + 1}, (_, index) => first + index),
	);
	const kept = drain(t, spool, 'event').bodies.map((body) => JSON.parse(body) as {event: {kind: string; data: object}});
	t.is(kept.filter(({event}) => event.kind === 'note').length, events);
	const startMs = Date.parse('2026-11-20T00:01:00Z');
	t.deepEqual(
		kept.filter(({event}) => event.kind === 'telemetry-gap').map(({event}) => event.data),
		[{fromSequence: 1, toSequence: first - 1, fromMs: startMs, toMs: startMs + (first - 2) * minuteMs}],
	);
	t.is(spool.bytes(), 0);
});

test('whatever is told and acknowledged, events are complete and in order, and every telemetry is there or in a gap', (t) => {
	const action = fc.oneof(
		fc.record({kind: fc.constant('event' as const), length: fc.nat(200)}),
		fc.record({kind: fc.constant('telemetry' as const), length: fc.integer({min: 1, max: 12})}),
		fc.record({kind: fc.constant('acknowledge' as const), length: fc.nat(3)}),
	);
	fc.assert(
		fc.property(fc.array(action, {maxLength: 80}), (actions) => {
			const spool = memorySpool(3000);
			const had = {event: new Set<number>(), telemetry: new Set<number>()};
			const gaps: {readonly fromSequence: number; readonly toSequence: number}[] = [];
			const takeOne = (topic: SpoolTopic): boolean => {
				const record = spool.next(topic, 0);
				if (record === undefined) {
					return false;
				}
				had[topic].add(record.sequence);
				const {event} = JSON.parse(record.body) as {event?: {kind: string; data: (typeof gaps)[number]}};
				if (event?.kind === 'telemetry-gap') {
					gaps.push(event.data);
				}
				return spool.acknowledge(topic, record.sequence);
			};
			let told = 0;
			for (const {kind, length} of actions) {
				if (kind === 'event') {
					spool.tellEvent({kind: 'note', data: {text: 'x'.repeat(length)}}, 'info');
				} else if (kind === 'telemetry') {
					told += 1;
					spool.tellTelemetry(Array.from({length}, (_, atMs) => ({atMs, values: {load_ratio: 1}})));
				} else {
					for (let count = 0; count < length; count += 1) {
						takeOne('telemetry');
						takeOne('event');
					}
				}
			}
			spool.tellEvent({kind: 'note', data: {}}, 'info');
			while (takeOne('telemetry') || takeOne('event')) {
				// Until nothing is left.
			}
			t.deepEqual(
				[...had.event],
				Array.from(had.event, (_, index) => index + 1),
			);
			const missing = Array.from({length: told}, (_, index) => index + 1).filter((each) => !had.telemetry.has(each));
			t.true(missing.every((each) => gaps.some((gap) => gap.fromSequence <= each && each <= gap.toSequence)));
		}),
		{numRuns: 60},
	);
});

test('an acknowledgement of what was never given forgets nothing', (t) => {
	const spool = memorySpool(1e6);
	spool.tellEvent({kind: 'note', data: {}}, 'info');
	t.false(spool.acknowledge('event', 2));
	t.false(spool.acknowledge('event', Number.MAX_SAFE_INTEGER));
	t.is(spool.next('event', 0)?.sequence, 1);
});

test('a batch that is too long for a payload is told in several', (t) => {
	const spool = memorySpool(1e8);
	const values = Object.fromEntries(
		Array.from({length: 200}, (_, index) => [`a_metric_of_some_length_${index}`, index]),
	);
	spool.tellTelemetry(Array.from({length: 500}, (_, atMs) => ({atMs, values})));
	const {bodies} = drain(t, spool, 'telemetry');
	t.true(bodies.length > 3 && bodies.every((body) => body.length < 256 * 1024));
	const samples = bodies.flatMap((body) => (JSON.parse(body) as {samples: {atMs: number}[]}).samples);
	t.deepEqual(
		samples.map(({atMs}) => atMs),
		Array.from({length: 500}, (_, index) => index),
	);
});

test('what is outside the contract is told as a note, and samples outside it are left out', (t) => {
	const spool = memorySpool(1e8);
	spool.tellEvent({kind: 'alarm', data: {alarm: 'x', raised: true, message: 'y'.repeat(5000)}}, 'warning');
	spool.tellEvent({kind: 'note', data: {text: 'z'.repeat(300_000)}}, 'info');
	spool.tellTelemetry([
		{atMs: 1, values: {'Not A Name': 1}},
		{atMs: 2, values: {good: Number.NaN}},
	]);
	const notes = drain(t, spool, 'event').bodies.map((body) => JSON.parse(body) as {event: {data: object}});
	t.like(notes[0]?.event.data, {unreadableEvent: 'alarm'});
	t.like(notes[1]?.event.data, {unreadableEvent: 'note', problem: 'too long for a payload'});
	t.is(spool.next('telemetry', 0), undefined);
});

test('a damaged database is put aside, and a new epoch begins', async (t) => {
	const directory = await withDirectory(t);
	const before = await openLinkDatabase(directory, silentLogger());
	const {epoch} = createSpoolRepository(before);
	t.is(createSpoolRepository(before).epoch, epoch);
	before.close();
	const file = path.join(directory, 'link.db');
	writeFileSync(
		file,
		createHash('sha512')
			.update('rubbish')
			.digest('base64')
			.repeat(statSync(file).size / 88),
	);
	const after = await openLinkDatabase(directory, silentLogger());
	t.not(createSpoolRepository(after).epoch, epoch);
	after.close();
	t.true(statSync(`${file}.damaged`).size > 0);
});

test('on a disk that cannot be written the spool is in memory, and the box goes on', async (t) => {
	const directory = await withDirectory(t);
	mkdirSync(path.join(directory, 'link.db'));
	const database = await openLinkDatabase(directory, silentLogger());
	const repository = createSpoolRepository(database);
	const spool = createSpool({
		...{repository, bytesMax: 1000, logger: silentLogger(), onRecord: () => undefined},
		clock: {nowMs: () => 0, monotonicMs: () => 0},
	});
	spool.tellEvent({kind: 'note', data: {}}, 'info');
	t.is(spool.next('event', 0)?.sequence, 1);
	database.close();
	t.notThrows(() => spool.tellEvent({kind: 'note', data: {}}, 'info'), 'a database that fails while it runs');
	t.is(spool.next('event', 0), undefined);
	t.false(spool.acknowledge('event', 1));
});
