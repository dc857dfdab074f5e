import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {UpdatePhase} from '#appliance/contract/fleet/update-schema.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {openServerAuthority} from '#ota/fleet/authority/open-server-authority.ts';
import {serverCommonName} from '#ota/fleet/broker/mosquitto-config.ts';
import {leaseDurationMs} from '#ota/fleet/server/leases.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';
import {openFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';
import {publishRelease} from '#ota/release/publish-release.ts';
import {eventually} from '#test/helper/eventually.ts';
import {freePort} from '#test/helper/free-port.ts';
import {sampleReported} from '#test/helper/sample-box.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {
	adminPassword,
	type FleetBox,
	fleetCall,
	signInToFleet,
	type TestFleet,
	withFleet,
	withFleetBox,
} from '#test/helper/with-fleet.ts';
import {withFleetDatabaseUrl} from '#test/helper/with-fleet-database.ts';
import {type TestProcess, withProcess} from '#test/helper/with-process.ts';
import {testReleaseKey, withRelease} from '#test/helper/with-release.ts';

const boxCount = 9;
const phases: readonly UpdatePhase[] = [
	'accepted',
	'fetching',
	'verified',
	'installing',
	'rebooting',
	'confirming',
	'confirmed',
];
const phaseMs = 150;
const leased = ['rollout', 'orders', 'commands', 'alert'];
const deadlineMs = 90_000;

/** What a box's agent would tell, one phase after the other; each order is carried out when it is new. */
const actAsAgent = (box: FleetBox, orders: string[]): void => {
	const facts = (release: string, update: {phase: UpdatePhase; orderId?: string}) => {
		const {
			version: _v,
			revision: _r,
			deviceId: _d,
			kind: _k,
			desiredRevision: _n,
			...rest
		} = sampleReported(box.deviceId);
		return {...rest, release, update: {...update, sinceMs: Date.now()}};
	};
	box.report(facts('1.0.0', {phase: 'idle'}));
	box.onDesired(({update}) => {
		if (update === undefined || orders.includes(update.orderId)) {
			return;
		}
		const {orderId, release} = update;
		orders.push(orderId);
		void (async () => {
			for (const phase of phases) {
				await sleep(phaseMs);
				box.tellEvent({kind: 'update', data: {phase, orderId, release, sinceMs: Date.now()}});
				box.report(facts(phase === 'confirmed' ? release : '1.0.0', {phase, orderId}));
			}
		})();
	});
};

/** A second server as a process of its own, on the same database, broker and keys; answers when it is ready. */
const startSecondServer = async (t: ExecutionContext, fleet: TestFleet): Promise<TestProcess> => {
	const directory = await withDirectory(t);
	const authority = await openServerAuthority({
		fleet: 'streamverse',
		stateDirectory: fleet.stateDirectory,
		clock: systemClock,
	});
	const {keyPem, certificatePem} = await authority.issueClient(serverCommonName);
	const file = async (name: string, text: string): Promise<string> => {
		await writeFile(join(directory, name), text);
		return join(directory, name);
	};
	const port = (await readFile(join(fleet.stateDirectory, 'port-broker-server'), 'utf8')).trim();
	const config = await file(
		'fleet.yaml',
		JSON.stringify({
			serverId: 'server-b',
			databaseUrl: fleet.databaseUrl,
			operator: {port: 0},
			device: {host: '127.0.0.1', port: await freePort()},
			broker: {
				kind: 'external',
				boxUrl: fleet.brokerUrl,
				serverUrl: `mqtts://127.0.0.1:${port}`,
				serverFiles: {
					ca: join(fleet.stateDirectory, 'authority', 'root-certificate.pem'),
					certificate: await file('certificate.pem', certificatePem),
					key: await file('key.pem', keyPem),
				},
			},
			release: {caFile: await file('release-ca.pem', (await testReleaseKey()).caPem)},
		}),
	);
	const child = withProcess(t, {
		script: 'cli/main.ts',
		args: ['fleet', '--state', fleet.stateDirectory, '--config', config],
	});
	await eventually('the second server is ready', () => child.output().includes('fleet server ready'), {
		timeoutMs: 30_000,
	}).catch(() => {
		throw new Error(child.output());
	});
	return child;
};

test('a server that is killed in mid-rollout is replaced by the other, and nothing is lost or done twice', async (t) => {
	t.timeout(2 * deadlineMs);
	const release = await withRelease(t, {sizeBytes: 20_000});
	const caFile = join(await withDirectory(t), 'ca.pem');
	await writeFile(caFile, release.key.caPem);
	const fleet = await withFleet(t, {
		databaseUrl: await withFleetDatabaseUrl(t, 'postgres'),
		config: {release: {caFile}},
	});
	const {call} = fleet;
	const second = await startSecondServer(t, fleet);
	await using store = await openFleetDatabase({url: fleet.databaseUrl});
	const {database} = store;

	const orders = new Map<string, string[]>();
	const boxes: FleetBox[] = [];
	for (let index = 0; index < boxCount; index += 1) {
		const box = await withFleetBox(t, fleet, `stb-${index}`);
		const given: string[] = [];
		orders.set(box.deviceId, given);
		actAsAgent(box, given);
		boxes.push(box);
	}
	await eventually('all boxes are known', async () => (await call('GET /overview')).body.online === boxCount, {
		timeoutMs: deadlineMs,
	});

	// The second server is to be the one that moves the rollout: the leases are its.
	await database
		.updateTable('lease')
		.set({holder: 'server-b', expires_ms: Date.now() + leaseDurationMs})
		.where('name', 'in', leased)
		.execute();
	await publishRelease({
		fleet: {url: fleet.url, token: fleet.token},
		directory: release.directory,
		manifest: release.manifestBytes,
		signature: release.signature,
		signal: AbortSignal.timeout(deadlineMs),
	});
	const made = await call('POST /rollouts', {
		name: 'two servers',
		release: '2.0.0',
		kind: 'stb',
		groups: [
			{name: 'first', size: {kind: 'count', count: 3}},
			{name: 'second', size: {kind: 'count', count: 3}},
			{name: 'rest', size: {kind: 'percent', percent: 100}},
		],
	});
	t.is(made.status, 201, JSON.stringify(made.body));
	const {id} = made.body;
	await approve(fleet, made.body);
	const read = async () => (await call(`GET /rollouts/${id}`)).body;
	t.is((await call(`POST /rollouts/${id}/start`, {}, {'If-Match': `"${(await read()).editVersion}"`})).status, 200);

	await eventually('the first box has its order', () => [...orders.values()].some((given) => given.length > 0), {
		timeoutMs: deadlineMs,
	});
	const holders = await database.selectFrom('lease').selectAll().where('name', 'in', ['rollout', 'orders']).execute();
	t.deepEqual(
		holders.map(({holder}) => holder),
		['server-b', 'server-b'],
		'the second server was to move the rollout',
	);
	second.kill('SIGKILL');
	await second.ended;

	await eventually('the rollout is finished', async () => (await read()).state === 'finished', {
		timeoutMs: deadlineMs,
	}).catch(async () => {
		throw new Error(JSON.stringify(await read()));
	});
	t.is((await read()).counts.done, boxCount);
	for (const [box, given] of orders) {
		t.is(given.length, 1, `${box} was ordered ${given.join(', ')}`);
	}
	await eventually(
		'every event of every box is in the database',
		async () => {
			const spools = await spoolsOf(database);
			const isWhole = spools.every(({updates, missing}) => updates === phases.length && missing === 0);
			return spools.length === boxCount && isWhole;
		},
		{timeoutMs: deadlineMs},
	).catch(async (error: unknown) => {
		throw new Error(JSON.stringify(await spoolsOf(database)), {cause: error});
	});
	t.is((await call('GET /boxes?filter=release%3D2.0.0')).body.total, boxCount);
});

/**
 * What the database has of each box's events. A box may tell more than the phases of its update: the first server was
 * still publishing when it lost its lease, and what it sends after the second is a replay, which the box refuses and tells.
 */
const spoolsOf = async (database: FleetDatabase) => {
	const events = await database.selectFrom('box_event').select(['box', 'kind', 'sequence']).execute();
	const positions = await database.selectFrom('spool_position').select(['box', 'event']).execute();
	return positions.map(({box, event: position}) => {
		const ofBox = events.filter((event) => event.box === box);
		const last = Math.max(position, ...ofBox.map(({sequence}) => sequence));
		const missing = last - Math.min(position, ofBox.length);
		return {box, updates: ofBox.filter(({kind}) => kind === 'update').length, missing};
	});
};

/** By somebody else than who made it. */
const approve = async (fleet: TestFleet, rollout: {id: string; editVersion: number}): Promise<void> => {
	const {body} = await fleet.call('POST /accounts', {name: 'second', displayName: 'Second', role: 'approver'});
	const first = await signInToFleet(fleet.url, 'second', body.oneTimePassword);
	await fleetCall(fleet.url, {Cookie: first})('PUT /session/password', {
		current: body.oneTimePassword,
		next: adminPassword,
	});
	const cookie = await signInToFleet(fleet.url, 'second', adminPassword);
	await fleetCall(fleet.url, {Cookie: cookie})(
		`POST /rollouts/${rollout.id}/approve`,
		{decision: 'approved', note: 'go'},
		{'If-Match': `"${rollout.editVersion}"`},
	);
};
