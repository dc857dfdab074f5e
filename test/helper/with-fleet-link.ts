import {randomUUID} from 'node:crypto';
import type {ExecutionContext} from 'ava';
import {connectAsync, type MqttClient} from 'mqtt';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {type Reply, replySchema} from '#appliance/contract/fleet/command-schema.ts';
import type {SignedOrder} from '#appliance/contract/fleet/order-schema.ts';
import type {ReportedFacts} from '#appliance/contract/fleet/reported-schema.ts';
import {
	eventSchema,
	type SpooledEvent,
	type Telemetry,
	telemetrySchema,
} from '#appliance/contract/fleet/spool-schema.ts';
import type {BoxIdentity} from '#appliance/identity/box-identity.ts';
import {claimSchema} from '#appliance/identity/claim-schema.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import type {FleetLink} from '#appliance/mqtt/fleet-link.ts';
import {type FleetLinkOptions, startFleetLink} from '#appliance/mqtt/start-fleet-link.ts';
import {createOrderSigner, type OrderSigner} from '#test/helper/order-signer.ts';
import {createTestAuthority, type TestAuthority} from '#test/helper/test-authority.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type TestMosquitto, withMosquitto} from '#test/helper/with-mosquitto.ts';

export const testBox = deviceIdSchema.parse('stb-0001');
export const testFleet = 'test-fleet';

/** A report within the contract. */
export const testFacts: ReportedFacts = {
	bootId: 'boot-1',
	bootedMs: 1,
	release: '2.4.0',
	hardware: {model: 'A78', cpu: 'arm', cpuCount: 4, memoryBytes: 1, diskBytes: 1},
	timeZone: 'Europe/Paris',
	addresses: [],
	slots: [],
	services: [],
	healthy: true,
	reasons: [],
	update: {phase: 'idle', sinceMs: 0},
	config: {overlayRevision: 0},
	certificate: {serial: '01', notAfterMs: 1},
};

/** A fleet of one server: acknowledges what it stored, once each, as the product's does. */
export type TestFleetServer = {
	readonly events: SpooledEvent[];
	readonly telemetry: Telemetry[];
	readonly replies: Reply[];
	/** All else that the box published, newest last. */
	readonly heard: {readonly topic: string; readonly payload: string; readonly retained: boolean}[];
	readonly publish: (name: string, payload: unknown, options?: {readonly retain?: boolean}) => Promise<void>;
	readonly desire: (order: SignedOrder, keyChain?: readonly SignedOrder[]) => Promise<void>;
	/** False: it is there and stores nothing. */
	isStoring: boolean;
	readonly client: MqttClient;
};

export type FleetLinkSetup = {
	readonly authority: TestAuthority;
	readonly broker: TestMosquitto;
	readonly signer: OrderSigner;
	readonly directory: string;
	readonly identity: BoxIdentity;
	readonly startServer: () => Promise<TestFleetServer>;
	readonly startLink: (options?: Partial<FleetLinkOptions>) => Promise<FleetLink>;
};

const quick = {initialMs: 50, maxMs: 200};

/** A broker, a fleet's keys, and a box that can be started on them. */
export const withFleetLink = async (t: ExecutionContext): Promise<FleetLinkSetup> => {
	const authority = await createTestAuthority();
	const broker = await withMosquitto(t, authority);
	const signer = await createOrderSigner({fleet: testFleet, box: testBox});
	const directory = await withDirectory(t);
	const identity = await testIdentity({authority, signer, brokerUrl: broker.url});
	return {
		...{authority, broker, signer, directory, identity},
		startServer: async () => {
			const server = await startServer(broker.url, authority);
			t.teardown(() => server.client.endAsync(true));
			return server;
		},
		startLink: async (options = {}) => {
			const link = await startFleetLink({
				...{directory, identity, kind: 'stb', bootId: randomUUID(), logger: silentLogger()},
				facts: () => ({id: testBox, kind: 'stb'}),
				backoff: {reconnect: quick, acknowledge: {initialMs: 400, maxMs: 1000}},
				...options,
			});
			t.teardown(() => link[Symbol.asyncDispose]());
			return link;
		},
	};
};

/** An identity that is enrolled already. */
export const testIdentity = async (options: {
	readonly authority: TestAuthority;
	readonly signer: OrderSigner;
	readonly brokerUrl: string;
	readonly name?: string;
}): Promise<BoxIdentity> => {
	const {authority, signer, brokerUrl, name = testBox} = options;
	const claim = claimSchema.parse({
		...{version: 1, fleet: testFleet, brokerUrl, orderKey: signer.key},
		...{estUrl: 'https://127.0.0.1:1/.well-known/est', deviceUrl: 'https://127.0.0.1:1'},
		...{caPem: authority.caPem, releaseCaPem: authority.caPem},
	});
	const credentials = {
		...(await authority.issue(name)),
		...{caPem: authority.caPem, serial: '01', notBeforeMs: 0, notAfterMs: Date.now() + 1e9},
	};
	return {
		deviceId: testBox,
		claim,
		credentials: () => credentials,
		onCredentials: (listener) => {
			listener(credentials);
			return () => undefined;
		},
		[Symbol.asyncDispose]: () => Promise.resolve(),
	};
};

const startServer = async (url: string, authority: TestAuthority): Promise<TestFleetServer> => {
	const {certificatePem, keyPem} = await authority.issue('fleet');
	const client = await connectAsync(url, {
		...{protocolVersion: 5, clientId: randomUUID(), clean: true, reconnectPeriod: 50},
		...{cert: certificatePem, key: keyPem, ca: authority.caPem},
	});
	const positions = new Map<string, number>();
	const server: TestFleetServer = {
		...{events: [], telemetry: [], replies: [], heard: [], isStoring: true, client},
		publish: async (name, payload, {retain = false} = {}) => {
			const text = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload);
			await client.publishAsync(`sv/1/${testBox}/${name}`, text, {qos: 1, retain});
		},
		desire: (order, keyChain = []) => server.publish('desired', {version: 1, keyChain, order}, {retain: true}),
	};
	client.on('message', (topic, payload, {retain}) => {
		const name = topic.split('/').slice(3).join('/');
		const text = payload.toString();
		if (name === 'reply') {
			server.replies.push(replySchema.parse(JSON.parse(text)));
		} else if (name !== 'telemetry' && name !== 'event') {
			server.heard.push({topic: name, payload: text, retained: retain});
		} else if (server.isStoring) {
			const record = name === 'event' ? eventSchema.parse(JSON.parse(text)) : telemetrySchema.parse(JSON.parse(text));
			const {epoch, sequence, after} = record;
			const position = positions.get(`${name} ${epoch}`) ?? 0;
			if (after <= position && position < sequence) {
				positions.set(`${name} ${epoch}`, sequence);
				(name === 'event' ? (server.events as unknown[]) : (server.telemetry as unknown[])).push(record);
			}
			const acknowledged = {version: 1, epoch, [name]: Math.max(position, positions.get(`${name} ${epoch}`) ?? 0)};
			server.publish('acknowledged', acknowledged).catch(() => undefined);
		}
	});
	await client.subscribeAsync('sv/1/#', {qos: 1, nl: true});
	return server;
};
