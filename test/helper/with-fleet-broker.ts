import type {ExecutionContext} from 'ava';
import {connect, type IClientOptions, type MqttClient} from 'mqtt';
import {brokerConfigSchema} from '#ota/fleet/broker/broker-config.ts';
import {type Broker, startBroker} from '#ota/fleet/broker/start-broker.ts';
import {startOnFreePorts} from '#ota/fleet/device/start-on-free-ports.ts';
import type {AuthorityFixture, BoxFiles} from '#test/helper/with-authority.ts';

/** A real mosquitto on free ports of loopback, as a fleet server runs it. */
export const withFleetBroker = async (
	t: ExecutionContext,
	{trust, context, directory, onRevoked}: AuthorityFixture,
	config: Record<string, unknown> = {kind: 'mosquitto', host: '127.0.0.1', port: 0, serverPort: 0},
	/** Null for a broker as somebody else might run it: what it holds by its access rules alone. */
	{guard}: {readonly guard?: null} = {},
): Promise<Broker> => {
	const stopping = new AbortController();
	const start = (): Promise<Broker> =>
		startBroker({
			config: brokerConfigSchema.parse(config),
			stateDirectory: directory,
			...trust,
			database: context.store.database,
			publicHost: '127.0.0.1',
			hosts: ['localhost', '127.0.0.1'],
			guard,
			clock: context.clock,
			logger: context.logger,
			signal: stopping.signal,
		});
	const broker = await startOnFreePorts(start, {stateDirectory: directory, logger: context.logger});
	onRevoked(broker.wake);
	t.teardown(async () => {
		await broker[Symbol.asyncDispose]();
		stopping.abort();
	});
	return broker;
};

/** Connects once, as a box with these files or whoever the options say; a refusal rejects. */
export const connectMqtt = async (
	t: ExecutionContext,
	url: string,
	files: {readonly caPem: string; readonly box?: Pick<BoxFiles, 'keyPem' | 'certificatePem'>},
	options: IClientOptions = {},
): Promise<MqttClient> => {
	const client = connect(url, {
		protocolVersion: 5,
		reconnectPeriod: 0,
		ca: files.caPem,
		...(files.box === undefined ? {} : {key: files.box.keyPem, cert: files.box.certificatePem}),
		...options,
	});
	t.teardown(() => {
		client.end(true);
	});
	const {promise, resolve, reject} = Promise.withResolvers<void>();
	client.on('connect', () => resolve());
	client.on('error', reject);
	client.on('close', () => reject(new Error('closed before it was connected')));
	await promise;
	return client;
};
