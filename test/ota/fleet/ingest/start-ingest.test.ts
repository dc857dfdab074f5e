import test, {type ExecutionContext} from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import type {FleetPart} from '#ota/fleet/fleet-part.ts';
import {startIngest} from '#ota/fleet/ingest/start-ingest.ts';
import type {BrokerMessage, FleetBroker} from '#ota/fleet/server/fleet-broker.ts';
import {eventually} from '#test/helper/eventually.ts';
import {enrolBoxes, sampleEvent, sampleReported} from '#test/helper/sample-box.ts';
import {withFleetDatabase} from '#test/helper/with-fleet-database.ts';

type Listener = (message: BrokerMessage) => undefined | Promise<void>;

const prepare = async (t: ExecutionContext, parts: readonly FleetPart[] = []) => {
	const store = await withFleetDatabase(t, 'sqlite');
	await enrolBoxes(store.database, ['box-1', 'box-2']);
	const listeners = new Map<string, Listener>();
	const acknowledged: string[] = [];
	const broker: FleetBroker = {
		isConnected: () => true,
		publish: (topic, payload) => {
			acknowledged.push(`${topic} ${payload}`);
			return Promise.resolve();
		},
		subscribe: (filter, listener) => {
			listeners.set(filter, listener);
			return Promise.resolve({[Symbol.asyncDispose]: () => Promise.resolve(void listeners.delete(filter))});
		},
		onConnected: () => () => undefined,
		[Symbol.asyncDispose]: () => Promise.resolve(),
	};
	const stop = new AbortController();
	const ingest = await startIngest({
		...{store, broker, parts, clock: systemClock, logger: silentLogger(), signal: stop.signal},
		changes: {publish: () => undefined, subscribe: () => () => undefined},
	});
	t.teardown(() => ingest[Symbol.asyncDispose]());
	const say = (box: string, name: string, payload: unknown, retained = false): undefined | Promise<void> =>
		listeners.get(retained ? `sv/1/+/${name}` : `$share/fleet/sv/1/+/${name}`)?.({
			topic: `sv/1/${box}/${name}`,
			payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
			retained,
		});
	const note = (sequence: number) => sampleEvent(sequence, {kind: 'note', data: {sequence}});
	return {store, ingest, acknowledged, listeners, say, note};
};

test('what was written is acknowledged, and not before', async (t) => {
	const gate = Promise.withResolvers<void>();
	const held = Promise.withResolvers<void>();
	const hold = async (): Promise<void> => {
		held.resolve();
		await gate.promise;
	};
	const {say, note, acknowledged} = await prepare(t, [{writeIngest: hold}]);
	void say('box-1', 'event', note(1));
	void say('box-1', 'event', note(2));
	await held.promise;
	t.deepEqual(acknowledged, []);
	gate.resolve();
	await eventually('it is acknowledged', () => acknowledged.length > 0);
	t.deepEqual(acknowledged, ['sv/1/box-1/acknowledged {"version":1,"epoch":"epoch-1","telemetry":0,"event":2}']);
});

test('a message that no transaction takes is found and given up, and the others are written', async (t) => {
	const {store, ingest, acknowledged, say, note} = await prepare(t, [
		{
			writeIngest: (_transaction, {events}) =>
				events.some(({event}) => event.sequence === 3) ? Promise.reject(new Error('poison')) : Promise.resolve(),
		},
	]);
	for (let sequence = 1; sequence <= 6; sequence += 1) {
		void say('box-1', 'event', note(sequence));
	}
	await eventually('one was given up', () => ingest.stats().dropped === 1);
	await eventually('the others are written', async () => (await rowsOf(store)).length === 5);
	t.deepEqual(await rowsOf(store), [1, 2, 4, 5, 6]);
	await eventually('all are acknowledged', () => acknowledged.some((each) => each.endsWith('"event":6}')));
});

test('what is malformed is counted, and does not come again', async (t) => {
	const {store, say, acknowledged} = await prepare(t);
	void say('box-1', 'event', {epoch: 'epoch-1', sequence: 1, after: 0, event: 'odd'});
	void say('box-1', 'reported', '{');
	await eventually('it is acknowledged', () => acknowledged.length > 0);
	t.regex(acknowledged[0] ?? '', /"event":1/u);
	const rows = await store.database.selectFrom('malformed').select(['topic', 'count']).orderBy('topic').execute();
	t.deepEqual(rows, [
		{topic: 'event', count: 1},
		{topic: 'reported', count: 1},
	]);
});

test('a full queue holds the broker back until there is room', async (t) => {
	const gate = Promise.withResolvers<void>();
	const {say, note} = await prepare(t, [{writeIngest: () => gate.promise}]);
	let held: Promise<void> | undefined;
	for (let sequence = 1; sequence <= 10_000 && held === undefined; sequence += 1) {
		held = say('box-1', 'event', note(sequence));
	}
	t.truthy(held);
	gate.resolve();
	await held;
});

test('retained state is read when it is asked for, and only then', async (t) => {
	const {store, ingest, listeners, say} = await prepare(t);
	ingest.reconcile();
	await eventually('it asks', () => listeners.has('sv/1/+/reported'));
	void say('box-1', 'reported', sampleReported('box-1'), true);
	await eventually(
		'the report is there',
		async () => (await store.database.selectFrom('box_report').selectAll().execute()).length === 1,
	);
	await eventually('it asks no more', () => !listeners.has('sv/1/+/reported'));
	void say('box-2', 'reported', sampleReported('box-2'));
	await eventually('what is said now goes on coming', () => ingest.stats().messages === 2);
	t.is(ingest.stats().unknown, 0);
});

const rowsOf = async (store: Awaited<ReturnType<typeof prepare>>['store']): Promise<readonly number[]> =>
	(await store.database.selectFrom('box_event').select('sequence').orderBy('sequence').execute()).map(
		({sequence}) => sequence,
	);
