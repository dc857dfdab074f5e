import {once} from 'node:events';
import {writeFile} from 'node:fs/promises';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import {createServer} from 'node:tls';
import {inspect} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {createKafkaProducer} from '#ota/fleet/bridge/kafka-producer.ts';
import {kafkaSettingsSchema} from '#ota/fleet/bridge/kafka-settings.ts';
import {eventually} from '#test/helper/eventually.ts';
import {freePort} from '#test/helper/free-port.ts';
import {createTestAuthority} from '#test/helper/test-authority.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const row = {id: 1, topic: 't', box: 'box-1', message_id: 'm', payload: '{}', size_bytes: 2, at_ms: 0};

/** Something that speaks TLS under a name, and the names that it was asked for. */
const withTls = async (t: ExecutionContext) => {
	const authority = await createTestAuthority();
	const {certificatePem: cert, keyPem: key} = await authority.issue('localhost', {server: true});
	const names: (string | false | null)[] = [];
	const server = createServer({cert, key}, (socket) => {
		names.push(socket.servername);
		socket.on('error', () => undefined).destroy();
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	const caFile = path.join(await withDirectory(t), 'ca.pem');
	await writeFile(caFile, authority.caPem);
	return {port: (server.address() as AddressInfo).port, caFile, names};
};

const send = async (settings: unknown, signal = AbortSignal.timeout(20_000)): Promise<void> => {
	await using producer = await createKafkaProducer(kafkaSettingsSchema.parse(settings));
	await producer.send([row], {signal});
};

test('a certificate that is not believed has its own code, and no broker is spoken to', async (t) => {
	const [kafka, stranger] = [await withTls(t), await withTls(t)];
	for (const tls of [{}, {caFile: stranger.caFile}]) {
		await t.throwsAsync(send({brokers: [`localhost:${kafka.port}`], tls}), {
			...{code: 'OTA_BRIDGE_KAFKA_UNTRUSTED', message: /\((?:UNABLE_TO|SELF_SIGNED|CERT_)/u},
		});
	}
	t.deepEqual(kafka.names, []);
});

test('a broker is told by which name it was asked for, but for an address', async (t) => {
	const {port, caFile, names} = await withTls(t);
	for (const [broker, name] of [
		[`localhost:${port}`, 'localhost'],
		[`127.0.0.1:${port}`, false],
	] as const) {
		names.length = 0;
		const stop = new AbortController();
		const sending = send({brokers: [broker], tls: {caFile}}, stop.signal);
		await Promise.all([
			t.throwsAsync(sending, {code: 'OTA_BRIDGE_KAFKA_FAILED'}),
			eventually('it is asked', () => names.length > 0).then(() => stop.abort()),
		]);
		t.is(names[0], name);
	}
});

test('a file that is not there, and brokers that are not there, are told as what they are', async (t) => {
	await t.throwsAsync(send({brokers: ['localhost:1'], tls: {keyFile: '/nowhere/key.pem'}}), {
		...{code: 'OTA_BRIDGE_KAFKA_FILE', message: /keyFile/u},
	});
	const brokers = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
	const error = await t.throwsAsync(send({brokers}), {code: 'OTA_BRIDGE_KAFKA_FAILED'});
	t.regex(inspect(error?.cause), /No broker could be reached/u);
});
