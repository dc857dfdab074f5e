import test from 'ava';
import {bridgeTopics, eventTopic} from '#ota/fleet/bridge/box-message.ts';
import {createBridgePart} from '#ota/fleet/bridge/create-bridge-part.ts';
import {kafkaSettingsSchema} from '#ota/fleet/bridge/kafka-settings.ts';
import {measureOutbox} from '#ota/fleet/bridge/outbox.ts';
import {eventually} from '#test/helper/eventually.ts';
import {sampleIngest} from '#test/helper/sample-ingest.ts';
import {withFleetContext} from '#test/helper/with-fleet-context.ts';
import {withKafka} from './with-kafka.ts';

const boxes = Array.from({length: 20}, (_, index) => `box-${index}`);
const count = 150;

test('Apache Kafka has each record of each box in order, though it is killed twice while they come', async (t) => {
	const context = await withFleetContext(t);
	const {database} = context.store;
	const kafka = await withKafka(t);
	await kafka.start();
	const part = createBridgePart(context, {
		settings: kafkaSettingsSchema.parse({brokers: [kafka.broker]}),
		leases: {withLease: (_name, work, options) => work(options)},
	});
	await using _work = await part.start?.();
	for (let sequence = 1; sequence <= count; sequence++) {
		await database
			.transaction()
			.execute(async (transaction) => part.writeIngest?.(transaction, sampleIngest(boxes, sequence)));
		if (sequence === 50 || sequence === 100) {
			const before = await measureOutbox(database);
			await eventually('Kafka takes some of it', async () => (await measureOutbox(database)).rows < before.rows);
			await kafka.kill();
			void kafka.start();
		}
	}
	await eventually('all of it is taken', async () => (await measureOutbox(database)).rows === 0, {timeoutMs: 120_000});
	for (const topic of bridgeTopics) {
		const records = await kafka.read(topic);
		const seen = new Set<string>();
		const sequences = new Map<string, number[]>();
		for (const {key, messageId, value} of records) {
			if (!seen.has(messageId)) {
				seen.add(messageId);
				sequences.set(key, [...(sequences.get(key) ?? []), JSON.parse(value).sequence]);
			}
		}
		t.is(seen.size, boxes.length * count, topic);
		for (const [box, found] of sequences) {
			t.deepEqual(
				found,
				found.toSorted((a, b) => a - b),
				`${topic} ${box}`,
			);
		}
		t.log(`${topic}: ${records.length - seen.size} of ${records.length} came twice`);
	}
	const partitions = new Map<string, number>();
	for (const {key, partition} of await kafka.read(eventTopic)) {
		t.is(partitions.get(key) ?? partition, partition);
		partitions.set(key, partition);
	}
});
