import test from 'ava';
import {connectAsync} from 'mqtt';
import {sleep} from '#appliance/time/sleep.ts';
import {eventually} from '#test/helper/eventually.ts';
import {createTestAuthority} from '#test/helper/test-authority.ts';
import {testFacts as facts, testBox, testIdentity, withFleetLink} from '#test/helper/with-fleet-link.ts';

test('a box is present, reports, and its events and telemetry reach the fleet once each', async (t) => {
	const {startServer, startLink} = await withFleetLink(t);
	const server = await startServer();
	const link = await startLink({bootId: 'boot-7'});
	link.report(facts);
	link.tellEvent({kind: 'note', data: {text: 'hello'}});
	link.tellTelemetry([{atMs: 1, values: {disk_free_bytes: 7}}]);
	await eventually('all of it', () => server.events.length === 1 && server.telemetry.length === 1);
	const reported = await eventually('a report', () => server.heard.find(({topic}) => topic === 'reported'));
	const presence = server.heard.find(({topic}) => topic === 'presence');
	t.like(JSON.parse(reported.payload), {
		deviceId: testBox,
		kind: 'stb',
		release: '2.4.0',
		desiredRevision: 0,
	});
	t.like(JSON.parse(presence?.payload ?? ''), {state: 'online', bootId: 'boot-7'});
	await link[Symbol.asyncDispose]();
	await eventually('offline', () => server.heard.some(({payload}) => payload.includes('"offline"')));
});

test('a report is sent when it differs, with a greater revision, and again to a broker that forgot it', async (t) => {
	const {startServer, startLink, broker} = await withFleetLink(t);
	const server = await startServer();
	const link = await startLink();
	const reports = () =>
		server.heard
			.filter(({topic}) => topic === 'reported')
			.map(({payload}) => JSON.parse(payload) as {revision: number});
	link.report(facts);
	link.report(facts);
	await eventually('the first', () => reports().length === 1);
	link.report({...facts, healthy: false, reasons: ['no signal']});
	await eventually('the second', () => reports().length === 2);
	const startedSeconds = Math.floor(Date.now() / 1000) - 60;
	t.true((reports()[0]?.revision ?? 0) > startedSeconds, 'above what a lost database had told');
	t.true((reports()[1]?.revision ?? 0) > (reports()[0]?.revision ?? 0));
	await link[Symbol.asyncDispose]();
	const again = await startLink();
	again.report({...facts, healthy: false, reasons: ['no signal']});
	await eventually('connected', () => again.isConnected());
	again.report({...facts, release: '2.5.0'});
	await eventually('the third', () => reports().length === 3);
	t.true((reports()[2]?.revision ?? 0) > (reports()[1]?.revision ?? 0), 'across processes');
	await broker.kill();
	again.report({...facts, release: '2.6.0'});
	await eventually('lost', () => !again.isConnected());
	await broker.start();
	await eventually('what changed meanwhile', () =>
		reports().some((report) => JSON.stringify(report).includes('2.6.0')),
	);
});

test('a presence says by its session which connection it is of, and the will follows a broken one', async (t) => {
	const {startServer, startLink, authority, broker} = await withFleetLink(t);
	const server = await startServer();
	const link = await startLink();
	const presences = () =>
		server.heard
			.filter(({topic}) => topic === 'presence')
			.map(({payload}) => JSON.parse(payload) as {state: string; sessionId: string});
	await eventually('online', () => presences().length === 1);
	// Another with the box's certificate takes the session over (MQTT 5 section 3.1.4), without a will of its own.
	const {certificatePem, keyPem} = await authority.issue(testBox);
	const thief = await connectAsync(broker.url, {
		...{protocolVersion: 5, clientId: testBox, clean: true, reconnectPeriod: 0},
		...{cert: certificatePem, key: keyPem, ca: authority.caPem},
	});
	await eventually('back online', () => presences().filter(({state}) => state === 'online').length >= 2);
	await thief.endAsync(true);
	t.true(new Set(presences().map(({sessionId}) => sessionId)).size >= 2);
	await eventually('connected', () => link.isConnected());
});

test('a certificate that the broker does not know connects nobody, and the box keeps what it has to tell', async (t) => {
	const {startServer, startLink, broker, signer} = await withFleetLink(t);
	const server = await startServer();
	const foreign = await createTestAuthority();
	const identity = await testIdentity({authority: foreign, signer, brokerUrl: broker.url});
	const link = await startLink({identity});
	link.tellEvent({kind: 'note', data: {}});
	await sleep(600);
	t.false(link.isConnected());
	t.is(server.events.length, 0);
	await link[Symbol.asyncDispose]();
	await startLink();
	await eventually('the event', () => server.events.length === 1);
});

test('a renewed certificate is used at once, by a new connection', async (t) => {
	const {startServer, startLink, authority, broker, signer} = await withFleetLink(t);
	const server = await startServer();
	const identity = await testIdentity({authority, signer, brokerUrl: broker.url});
	const renewed = await testIdentity({authority, signer, brokerUrl: broker.url});
	const listeners = new Set<Parameters<typeof identity.onCredentials>[0]>();
	let current = identity;
	const link = await startLink({
		identity: {
			...identity,
			onCredentials: (listener) => {
				current.onCredentials(listener);
				listeners.add(listener);
				return () => listeners.delete(listener);
			},
		},
	});
	await eventually('connected', () => link.isConnected());
	const online = () => server.heard.filter(({payload}) => payload.includes('"online"')).length;
	await eventually('online', () => online() === 1);
	current = renewed;
	for (const listener of listeners) {
		renewed.onCredentials(listener);
	}
	await eventually('online again', () => online() === 2);
	t.false(
		server.heard.some(({payload}) => payload.includes('"offline"')),
		'no will, and no goodbye',
	);
	link.tellEvent({kind: 'note', data: {}});
	await eventually('an event', () => server.events.length === 1);
});
