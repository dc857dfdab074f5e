import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {sleep} from '#appliance/time/sleep.ts';
import type {LinkProcessOptions} from '#test/fake/fleet-link-process.ts';
import {eventually} from '#test/helper/eventually.ts';
import {type FleetLinkSetup, type TestFleetServer, withFleetLink} from '#test/helper/with-fleet-link.ts';
import {type TestProcess, withProcess} from '#test/helper/with-process.ts';

const numbersOf = ({events}: TestFleetServer): readonly unknown[] =>
	events.flatMap(({event}) => (event.kind === 'note' ? [event.data['number']] : []));

const upTo = (count: number): readonly number[] => Array.from({length: count}, (_, index) => index + 1);

test('what is told while the broker is gone arrives in order when it is back', async (t) => {
	const {startServer, startLink, broker} = await withFleetLink(t);
	const server = await startServer();
	const link = await startLink();
	await eventually('connected', () => link.isConnected());
	await broker.kill();
	for (const number of upTo(200)) {
		link.tellEvent({kind: 'note', data: {number}});
	}
	await eventually('lost', () => !link.isConnected());
	await broker.start();
	await eventually('all', () => server.events.length >= 200);
	t.deepEqual(numbersOf(server), upTo(200));
});

test('a broker that dies between its acknowledgement and the fleet’s loses nothing', async (t) => {
	const {startServer, startLink, broker} = await withFleetLink(t);
	const server = await startServer();
	const link = await startLink();
	server.isStoring = false;
	let number = 0;
	for (let round = 0; round < 3; round += 1) {
		await eventually('connected', () => link.isConnected() && server.client.connected);
		for (let count = 0; count < 20; count += 1) {
			number += 1;
			link.tellEvent({kind: 'note', data: {number}});
			link.tellTelemetry([{atMs: number, values: {load_ratio: number}}]);
		}
		await sleep(100);
		await broker.kill();
		await eventually('lost', () => !link.isConnected());
		await broker.start();
	}
	server.isStoring = true;
	await eventually('all', () => server.events.length >= number && server.telemetry.length >= number);
	t.deepEqual(numbersOf(server), upTo(number));
	t.deepEqual(
		server.telemetry.map(({sequence}) => sequence),
		upTo(number),
	);
});

test('a fleet that stores nothing is asked again, with ever fewer records under way, until it does', async (t) => {
	const {startServer, startLink} = await withFleetLink(t);
	const server = await startServer();
	server.isStoring = false;
	const link = await startLink();
	for (const number of upTo(50)) {
		link.tellEvent({kind: 'note', data: {number}});
	}
	let heard = 0;
	server.client.on('message', (topic) => {
		heard += topic.endsWith('/event') ? 1 : 0;
	});
	const startedMs = performance.now();
	await eventually('several attempts', () => heard >= 8);
	// Four at first, and then one for each wait, which is 200 ms at least.
	const most = 5 + (performance.now() - startedMs) / 200;
	t.true(heard <= most, `${heard} sent, at most ${most}`);
	server.isStoring = true;
	await eventually('all', () => server.events.length === 50);
	t.deepEqual(numbersOf(server), upTo(50));
});

const startBox = async (t: ExecutionContext, setup: FleetLinkSetup, first: number): Promise<TestProcess> => {
	const {directory, identity} = setup;
	const options: LinkProcessOptions = {
		...{directory, first, intervalMs: 2},
		identity: {deviceId: identity.deviceId, claim: identity.claim},
		credentials: identity.credentials() ?? t.fail('not enrolled') ?? ({} as never),
	};
	const file = path.join(directory, 'options.json');
	await writeFile(file, JSON.stringify(options));
	return withProcess(t, {script: 'test/fake/fleet-link-process.ts', args: [file]});
};

const lastNumber = (box: TestProcess): number => Number(box.output().match(/^\d+$/gmu)?.at(-1) ?? 0);

test('a box that is killed in the middle of its spool tells all of it once it runs again', async (t) => {
	const setup = await withFleetLink(t);
	const server = await setup.startServer();
	let told = 0;
	for (let round = 0; round < 3; round += 1) {
		const box = await startBox(t, setup, told + 1);
		// Killed with all of it unacknowledged, in the middle of sending, and then with some of it.
		server.isStoring = round === 1;
		await eventually('some events', () => lastNumber(box) > told + 30 + round * 60);
		box.kill('SIGKILL');
		await box.ended;
		told = lastNumber(box);
	}
	t.true(server.events.length < told, 'killed before all was stored');
	server.isStoring = true;
	const link = await setup.startLink();
	link.tellEvent({kind: 'note', data: {number: 'last'}});
	await eventually('all', () => numbersOf(server).includes('last'));
	const numbers = numbersOf(server).filter((number): number is number => typeof number === 'number');
	// Killed between a commit and the line that tells of it, a box may have told one more, which the next tells again.
	t.deepEqual([...new Set(numbers)].slice(0, told), upTo(told));
	t.true(numbers.length - told <= 3);
	const sequences = server.events.map(({sequence}) => sequence);
	t.deepEqual(sequences, upTo(sequences.length), 'each once, in order');
});

test('a killed box is offline by its will', async (t) => {
	const setup = await withFleetLink(t);
	const server = await setup.startServer();
	const box = await startBox(t, setup, 1);
	const presence = (state: string): boolean =>
		server.heard.some(({topic, payload}) => topic === 'presence' && payload.includes(`"state":"${state}"`));
	await eventually('online', () => presence('online'));
	const killedMs = performance.now();
	box.kill('SIGKILL');
	await eventually('offline', () => presence('offline'));
	t.true(performance.now() - killedMs >= 4000, 'not before the will’s delay');
});
