import test from 'ava';
import {boxMessagesOf, telemetryTopic} from '#ota/fleet/bridge/box-message.ts';
import {createBridgePart} from '#ota/fleet/bridge/create-bridge-part.ts';
import {kafkaSettingsSchema} from '#ota/fleet/bridge/kafka-settings.ts';
import {
	appendToOutbox,
	dropOldestTelemetry,
	measureOutbox,
	readOutbox,
	removeFromOutbox,
} from '#ota/fleet/bridge/outbox.ts';
import {eventually} from '#test/helper/eventually.ts';
import {sampleIngest} from '#test/helper/sample-ingest.ts';
import {withFleetContext} from '#test/helper/with-fleet-context.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';

for (const engine of databaseEngines) {
	test(`the oldest telemetry goes first, events and QoE never (${engine})`, async (t) => {
		const {store, clock} = await withFleetContext(t, engine);
		const {database} = store;
		for (let sequence = 1; sequence <= 20; sequence++) {
			await database
				.transaction()
				.execute((transaction) =>
					appendToOutbox(transaction, boxMessagesOf(sampleIngest(['box-1', 'box-2'], sequence)), clock.nowMs()),
				);
		}
		const before = await measureOutbox(database);
		t.like(before, {rows: 120, droppedRows: 0});
		const dropped = await dropOldestTelemetry(database, before.telemetryBytes / 2);
		t.true(dropped >= 20 && dropped <= 21);
		const rows = await readOutbox(database, {rowsMax: 1000, bytesMax: 1024 ** 2});
		t.is(rows.filter(({topic}) => topic !== telemetryTopic).length, 80);
		t.is(JSON.parse(rows.find(({topic}) => topic === telemetryTopic)?.payload ?? '').sequence, 11);
		t.is(await dropOldestTelemetry(database, Number.MAX_SAFE_INTEGER), 40 - dropped);
		t.like(await measureOutbox(database), {rows: 80, telemetryBytes: 0, droppedRows: 40});
		await removeFromOutbox(
			database,
			rows.map(({id}) => id),
		);
		t.like(await measureOutbox(database), {rows: 0, bytes: 0, oldestMs: null});
	});

	test(`a batch is bounded by rows and bytes, and one large row still goes (${engine})`, async (t) => {
		const {store, clock} = await withFleetContext(t, engine);
		const {database} = store;
		await database
			.transaction()
			.execute((transaction) =>
				appendToOutbox(transaction, boxMessagesOf(sampleIngest(['box-1', 'box-2', 'box-3'], 1)), clock.nowMs()),
			);
		t.is((await readOutbox(database, {rowsMax: 4, bytesMax: 1024 ** 2})).length, 4);
		t.is((await readOutbox(database, {rowsMax: 100, bytesMax: 1})).length, 1);
		const ids = (await readOutbox(database, {rowsMax: 100, bytesMax: 1024 ** 2})).map(({id}) => id);
		t.deepEqual(
			ids,
			ids.toSorted((a, b) => a - b),
		);
	});
}

test('an outbox beyond its bound is trimmed while Kafka is away', async (t) => {
	const context = await withFleetContext(t);
	const settings = kafkaSettingsSchema.parse({brokers: ['127.0.0.1:1'], outboxBytesMax: 64 * 1024});
	const part = createBridgePart(context, {settings, leases: {withLease: (_name, work, options) => work(options)}});
	for (let sequence = 1; sequence <= 150; sequence++) {
		await context.store.database
			.transaction()
			.execute(async (transaction) => part.writeIngest?.(transaction, sampleIngest(['box-1', 'box-2'], sequence)));
	}
	t.true((await measureOutbox(context.store.database)).bytes > 64 * 1024);
	await using _work = await part.start?.();
	const state = await eventually('it is trimmed', async () => {
		const measured = await measureOutbox(context.store.database);
		return measured.droppedRows > 0 && measured;
	});
	t.true(state.bytes <= 64 * 1024 || state.telemetryBytes === 0);
	t.is(state.rows, 900 - state.droppedRows);
});
