import test from 'ava';
import {systemClock} from '#appliance/time/clock.ts';
import {bridgeTopics, eventTopic, qoeTopic, telemetryTopic} from '#ota/fleet/bridge/box-message.ts';
import {createBridgePart} from '#ota/fleet/bridge/create-bridge-part.ts';
import {kafkaSettingsSchema} from '#ota/fleet/bridge/kafka-settings.ts';
import {measureOutbox} from '#ota/fleet/bridge/outbox.ts';
import type {FleetPart, IngestBatch} from '#ota/fleet/fleet-part.ts';
import {createLeases} from '#ota/fleet/server/leases.ts';
import {eventually} from '#test/helper/eventually.ts';
import {sampleIngest} from '#test/helper/sample-ingest.ts';
import {type TestFleetContext, withFleetContext} from '#test/helper/with-fleet-context.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';
import {type KafkaRecord, withKafkaMock} from '#test/helper/with-kafka-mock.ts';

const boxes = Array.from({length: 7}, (_, index) => `box-${index}`);
const held = {
	withLease: (_name: string, work: (options: {signal: AbortSignal}) => Promise<void>, options: {signal: AbortSignal}) =>
		work(options),
};

const ingest = (context: TestFleetContext, part: FleetPart, batch: IngestBatch): Promise<void> | undefined =>
	context.store.database.transaction().execute(async (transaction) => {
		await part.writeIngest?.(transaction, batch);
	});

const empty = (context: TestFleetContext) =>
	eventually('the outbox is empty', async () => (await measureOutbox(context.store.database)).rows === 0, {
		timeoutMs: 60_000,
	});

/** Of each box, the sequences in the order in which a reader that drops what it has sees them. */
const sequencesOf = (records: readonly KafkaRecord[]): Map<string, number[]> => {
	const seen = new Set<string>();
	const byBox = new Map<string, number[]>();
	for (const {key, messageId, value} of records) {
		if (!seen.has(messageId)) {
			seen.add(messageId);
			byBox.set(key, [...(byBox.get(key) ?? []), JSON.parse(value).sequence]);
		}
	}
	return byBox;
};

for (const engine of databaseEngines) {
	test(`a killed Kafka loses nothing, and each box's records keep their order (${engine})`, async (t) => {
		const context = await withFleetContext(t, engine);
		const kafka = await withKafkaMock(t);
		await kafka.start();
		const settings = kafkaSettingsSchema.parse({brokers: [kafka.broker]});
		const part = createBridgePart(context, {settings, leases: held});
		const work = await part.start?.();
		t.teardown(async () => work?.[Symbol.asyncDispose]());
		const count = 40;
		for (let sequence = 1; sequence <= count; sequence++) {
			await ingest(context, part, sampleIngest(boxes, sequence));
		}
		await empty(context);
		const before = {
			[telemetryTopic]: await kafka.read(telemetryTopic),
			[eventTopic]: await kafka.read(eventTopic),
			[qoeTopic]: await kafka.read(qoeTopic),
		};
		kafka.kill();
		for (let sequence = count + 1; sequence <= 2 * count; sequence++) {
			await ingest(context, part, sampleIngest(boxes, sequence));
		}
		const during = await measureOutbox(context.store.database);
		t.is(during.rows, count * boxes.length * 3);
		t.is(during.oldestMs, context.clock.nowMs());
		await kafka.start();
		await empty(context);
		for (const topic of bridgeTopics) {
			const sequences = sequencesOf([...before[topic], ...(await kafka.read(topic))]);
			t.is(sequences.size, boxes.length);
			const expected = Array.from({length: 2 * count}, (_, index) =>
				topic === telemetryTopic ? index + 1 : topic === eventTopic ? 2 * index + 1 : 2 * index + 2,
			);
			for (const [box, found] of sequences) {
				t.deepEqual(found, expected, `${topic} ${box}`);
			}
		}
		const partitions = new Map(before[eventTopic].map(({key, partition}) => [key, partition]));
		t.true(
			before[eventTopic].every(({key, partition}) => partitions.get(key) === partition),
			'keyed by box',
		);
		t.true(new Set(partitions.values()).size > 1, 'and spread');
		t.regex(before[eventTopic][0]?.messageId ?? '', /^box-\d\/e1\/event\/\d+$/u);
	});
}

test('a Kafka that hangs while it is written to gets everything once it goes on', async (t) => {
	const context = await withFleetContext(t);
	const kafka = await withKafkaMock(t);
	await kafka.start();
	const part = createBridgePart(context, {
		settings: kafkaSettingsSchema.parse({brokers: [kafka.broker]}),
		leases: held,
	});
	const work = await part.start?.();
	t.teardown(async () => work?.[Symbol.asyncDispose]());
	const count = 150;
	for (let sequence = 1; sequence <= count; sequence++) {
		await ingest(context, part, sampleIngest(boxes, sequence));
		if (sequence === 50) {
			kafka.pause();
		}
		if (sequence === 120) {
			kafka.resume();
		}
	}
	await empty(context);
	const sequences = sequencesOf(await kafka.read(eventTopic));
	for (const box of boxes) {
		t.deepEqual(
			sequences.get(box),
			Array.from({length: count}, (_, index) => 2 * index + 1),
		);
	}
});

test('a transaction that fails leaves nothing in the outbox', async (t) => {
	const context = await withFleetContext(t);
	const part = createBridgePart(context, {
		settings: kafkaSettingsSchema.parse({brokers: ['127.0.0.1:1']}),
		leases: held,
	});
	await t.throwsAsync(
		context.store.database.transaction().execute(async (transaction) => {
			await part.writeIngest?.(transaction, sampleIngest(boxes, 1));
			throw new Error('no');
		}),
	);
	t.is((await measureOutbox(context.store.database)).rows, 0);
});

test('of two servers one sends at a time, and the other goes on where it stopped', async (t) => {
	const context = await withFleetContext(t, 'postgres');
	const kafka = await withKafkaMock(t);
	await kafka.start();
	const settings = kafkaSettingsSchema.parse({brokers: [kafka.broker]});
	const {database} = context.store;
	const holder = async () => (await database.selectFrom('lease').select('holder').executeTakeFirst())?.holder;
	const start = async (serverId: string) => {
		const leases = createLeases({database, serverId, clock: systemClock, logger: context.logger});
		const part = createBridgePart({...context, serverId}, {settings, leases});
		const work = await part.start?.();
		t.teardown(async () => work?.[Symbol.asyncDispose]());
		return {part, stop: async () => work?.[Symbol.asyncDispose]()};
	};
	const first = await start('first');
	await eventually('the first holds it', async () => (await holder()) === 'first');
	const second = await start('second');
	const count = 30;
	for (let sequence = 1; sequence <= count; sequence++) {
		// Each hears half of what boxes say.
		await ingest(context, sequence % 2 === 0 ? first.part : second.part, sampleIngest(boxes, sequence));
		if (sequence === count / 2) {
			t.is(await holder(), 'first');
			await first.stop();
		}
	}
	await eventually('the second holds it', async () => (await holder()) === 'second', {timeoutMs: 20_000});
	await empty(context);
	const sequences = sequencesOf(await kafka.read(eventTopic));
	for (const box of boxes) {
		t.deepEqual(
			sequences.get(box),
			Array.from({length: count}, (_, index) => 2 * index + 1),
			box,
		);
	}
});
