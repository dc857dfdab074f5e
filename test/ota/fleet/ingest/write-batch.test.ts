import test from 'ava';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import {systemClock} from '#appliance/time/clock.ts';
import type {Incoming} from '#ota/fleet/ingest/incoming.ts';
import {type IngestContext, writeBatch} from '#ota/fleet/ingest/write-batch.ts';
import {
	deviceId,
	enrolBoxes,
	sampleEvent,
	sampleReported,
	sampleTelemetry,
	sampleTimeMs,
} from '#test/helper/sample-box.ts';
import {databaseEngines, withFleetDatabase} from '#test/helper/with-fleet-database.ts';

const box = deviceId('box-1');
const event = (...parameters: Parameters<typeof sampleEvent>): Incoming => ({
	kind: 'event',
	box,
	event: sampleEvent(...parameters),
});
const presence = (state: 'online' | 'offline', sessionId: string, sinceMs = sampleTimeMs): Incoming => ({
	kind: 'presence',
	box,
	presence: {version: 1, state, bootId: 'boot-1', sessionId, sinceMs},
});
const note = {kind: 'note', data: {text: 'hello'}} as const;

for (const engine of databaseEngines) {
	const prepare = async (t: Parameters<typeof withFleetDatabase>[0], parts: IngestContext['parts'] = []) => {
		const store = await withFleetDatabase(t, engine);
		await enrolBoxes(store.database, ['box-1', 'box-2']);
		const context: IngestContext = {store, clock: systemClock, parts};
		const row = () => store.database.selectFrom('box').selectAll().where('id', '=', box).executeTakeFirstOrThrow();
		return {store, row, write: (...messages: Incoming[]) => writeBatch(context, messages)};
	};

	test(`${engine}: a phase of an update is written, and the rest of the box stays as it was`, async (t) => {
		const {row, write} = await prepare(t);
		await write(presence('online', 's1'), {kind: 'reported', box, reported: sampleReported(box)});
		const before = await row();
		const release = releaseVersionSchema.parse('1.1.0');
		const status = {phase: 'failed', orderId: 'order-1', release, sinceMs: sampleTimeMs + 1} as const;
		const reason = {code: 'OTA_DISK_FULL', message: 'no room'};
		await write(event(1, {kind: 'update', data: {...status, reason}}));
		const {last_seen_ms: seenMs, ...after} = await row();
		t.true(Number(seenMs) >= Number(before.last_seen_ms));
		t.like(after, {
			update_phase: 'failed',
			update_order: 'order-1',
			update_release: '1.1.0',
			update_reason: JSON.stringify(reason),
			update_since_ms: sampleTimeMs + 1,
		});
		const changed = Object.keys(after).filter(
			(name) => after[name as keyof typeof after] !== before[name as keyof typeof after],
		);
		t.true(
			changed.every((name) => name.startsWith('update_')),
			changed.join(', '),
		);
	});

	test(`${engine}: a batch is in the tables, and its second coming changes nothing`, async (t) => {
		const {store, row, write} = await prepare(t);
		const messages: Incoming[] = [
			presence('online', 's1'),
			{kind: 'reported', box, reported: sampleReported(box)},
			{kind: 'telemetry', box, telemetry: sampleTelemetry(1)},
			event(1, note),
			event(2, {kind: 'alarm', data: {alarm: 'disk', raised: true, message: 'full'}}, {severity: 'critical'}),
			{
				kind: 'malformed',
				box,
				topic: 'event',
				reason: 'odd',
				place: {topic: 'event', epoch: 'epoch-1', sequence: 3, after: 2},
			},
			{kind: 'telemetry', box: deviceId('stranger'), telemetry: sampleTelemetry(1)},
		];
		const first = await write(...messages);
		t.deepEqual(first.positions.get(box), {epoch: 'epoch-1', telemetry: 1, event: 3});
		t.like(first.counts, {duplicates: 0, unknown: 1, malformed: 1, stale: 0});
		t.like(await row(), {presence: 'online', release: '1.0.0', health: 'critical', model: 'SV-100'});
		const second = await write(...messages);
		t.deepEqual(second.positions.get(box), first.positions.get(box));
		t.like(second.counts, {duplicates: 4, stale: 2});
		t.is(second.batch.events.length + second.batch.telemetry.length + second.batch.reported.length, 0);
		t.is((await store.database.selectFrom('box_event').selectAll().execute()).length, 2);
		t.is((await store.database.selectFrom('desired').selectAll().execute()).length, 1);
		await write(event(4, {kind: 'alarm', data: {alarm: 'disk', raised: false, message: 'free'}}));
		t.is((await row()).health, 'ok');
	});

	test(`${engine}: the will of a session that was replaced is ignored, that of the present one is not`, async (t) => {
		const {row, write} = await prepare(t);
		await write(presence('online', 's1', 1000));
		await write(presence('online', 's2', 2000));
		await write(presence('offline', 's1', 1000));
		t.is((await row()).presence, 'online');
		await write(presence('offline', 's2', 2000));
		t.is((await row()).presence, 'offline');
		await write(presence('online', 's2', 2000));
		t.is((await row()).presence, 'offline');
	});

	test(`${engine}: a part that fails undoes the whole batch`, async (t) => {
		let fail = true;
		const {store, write} = await prepare(t, [
			{writeIngest: () => (fail ? Promise.reject(new Error('no')) : Promise.resolve())},
		]);
		await t.throwsAsync(write(event(1, note)));
		t.deepEqual(await store.database.selectFrom('box_event').selectAll().execute(), []);
		fail = false;
		t.is((await write(event(1, note))).batch.events.length, 1);
	});

	test(`${engine}: a revoked box is heard no more`, async (t) => {
		const {store, write} = await prepare(t);
		await store.database.updateTable('box').set({revoked_ms: 1}).where('id', '=', box).execute();
		t.is((await write(event(1, note))).counts.unknown, 1);
	});

	test(`${engine}: records that overtake each other between two servers are all kept, once`, async (t) => {
		const {store, write} = await prepare(t);
		const outcomes = await Promise.all([
			write(event(2, note), event(4, note)),
			write(event(1, note), event(3, note)),
			write(event(4, note)),
		]);
		t.is(Math.max(...outcomes.map(({positions}) => positions.get(box)?.event ?? 0)), 4);
		t.is((await store.database.selectFrom('box_event').selectAll().execute()).length, 4);
		t.deepEqual(await store.database.selectFrom('spool_ahead').selectAll().execute(), []);
	});
}
