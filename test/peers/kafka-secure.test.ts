import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {inspect} from 'node:util';
import test from 'ava';
import {type Logger, silentLogger} from '#appliance/log/logger.ts';
import {eventTopic} from '#ota/fleet/bridge/box-message.ts';
import {createBridgePart} from '#ota/fleet/bridge/create-bridge-part.ts';
import {kafkaSettingsSchema} from '#ota/fleet/bridge/kafka-settings.ts';
import {measureOutbox} from '#ota/fleet/bridge/outbox.ts';
import {eventually} from '#test/helper/eventually.ts';
import {sampleIngest} from '#test/helper/sample-ingest.ts';
import {createTestAuthority} from '#test/helper/test-authority.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withFleetContext} from '#test/helper/with-fleet-context.ts';
import {withKafka} from './with-kafka.ts';

const boxes = ['box-0', 'box-1', 'box-2'];
const username = 'fleet';
const password = 'Zt7-four-unrelated-words';
const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

/** Runs a bridge with these settings over what is in the outbox until it is empty, or something was logged. */
const tryBridge = async (
	context: Awaited<ReturnType<typeof withFleetContext>>,
	settings: unknown,
): Promise<readonly unknown[]> => {
	const warned: unknown[] = [];
	const logger: Logger = {...silentLogger(), warn: (facts: unknown) => void warned.push(facts)};
	const part = createBridgePart(
		{...context, logger},
		{settings: kafkaSettingsSchema.parse(settings), leases: {withLease: (_name, work, options) => work(options)}},
	);
	await using _work = await part.start?.();
	await eventually(
		'it is taken or refused',
		async () => warned.length > 0 || (await measureOutbox(context.store.database)).rows === 0,
		{timeoutMs: 60_000},
	);
	return warned;
};

test('Apache Kafka takes records by TLS from an account that it knows, and loses none to a wrong CA or password', async (t) => {
	const context = await withFleetContext(t);
	const directory = await withDirectory(t);
	const [authority, stranger] = [await createTestAuthority(), await createTestAuthority()];
	const {certificatePem, keyPem} = await authority.issue('localhost', {server: true});
	const kafka = await withKafka(t, {
		...{host: 'localhost', username, password, keystore: `${keyPem}${certificatePem}${authority.caPem}`},
	});
	await kafka.start();
	const [caFile, strangerFile] = [path.join(directory, 'ca.pem'), path.join(directory, 'stranger.pem')];
	await writeFile(caFile, authority.caPem);
	await writeFile(strangerFile, stranger.caPem);
	const brokers = [kafka.secureBroker];
	const writer = createBridgePart(context, {
		settings: kafkaSettingsSchema.parse({brokers}),
		leases: {withLease: (_name, work, options) => work(options)},
	});
	let count = 0;
	const add = async () => {
		count += 1;
		const batch = sampleIngest(boxes, count);
		await context.store.database
			.transaction()
			.execute(async (transaction) => await writer.writeIngest?.(transaction, batch));
	};
	for (const mechanism of mechanisms) {
		await add();
		const {rows} = await measureOutbox(context.store.database);
		const account = {mechanism, username, password};
		for (const [code, settings] of [
			['OTA_BRIDGE_KAFKA_UNTRUSTED', {brokers, sasl: account, tls: {caFile: strangerFile}}],
			['OTA_BRIDGE_KAFKA_UNTRUSTED', {brokers, sasl: account, tls: {}}],
			['OTA_BRIDGE_KAFKA_REFUSED', {brokers, sasl: {...account, password: `${password}-not`}, tls: {caFile}}],
			['OTA_BRIDGE_KAFKA_REFUSED', {brokers, sasl: {...account, username: 'nobody'}, tls: {caFile}}],
			['OTA_BRIDGE_KAFKA_FAILED', {brokers, sasl: account}],
			['OTA_BRIDGE_KAFKA_FILE', {brokers, tls: {caFile: path.join(directory, 'missing.pem')}}],
		] as const) {
			const [warned] = await tryBridge(context, settings);
			t.like(warned, {err: {code}}, `${mechanism} ${code} ${inspect(warned, {depth: 6})}`);
			t.notRegex(inspect(warned, {depth: 12, showHidden: true}), /Zt7/u);
			t.is((await measureOutbox(context.store.database)).rows, rows, 'the outbox keeps all');
		}
		t.deepEqual(await tryBridge(context, {brokers, sasl: account, tls: {caFile}}), []);
		t.is((await measureOutbox(context.store.database)).rows, 0);
	}
	const records = await kafka.read(eventTopic);
	t.is(new Set(records.map(({messageId}) => messageId)).size, boxes.length * count);
	t.is(records.length, boxes.length * count, 'each of them once');
});
