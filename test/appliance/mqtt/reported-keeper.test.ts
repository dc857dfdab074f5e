import test, {type ExecutionContext} from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import type {Connection} from '#appliance/mqtt/connection.ts';
import {createReportedKeeper} from '#appliance/mqtt/reported-keeper.ts';
import {createStateRepository, stateTable} from '#appliance/mqtt/state-repository.ts';
import {type Database, openDatabase} from '#appliance/store/open-database.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {eventually} from '#test/helper/eventually.ts';
import {testBox, testFacts} from '#test/helper/with-fleet-link.ts';

const withDatabase = (t: ExecutionContext): Database => {
	const database = openDatabase({path: ':memory:', migrations: [stateTable]});
	t.teardown(() => database.close());
	return database;
};

/** The link's process on that database from a second on; what it told is parsed. */
const start = (database: Database, second: number) => {
	const told: {readonly revision: number; readonly release: string}[] = [];
	const keeper = createReportedKeeper({
		deviceId: testBox,
		kind: 'stb',
		repository: createStateRepository(database),
		desiredRevision: () => 0,
		clock: {...systemClock, nowMs: () => second * 1000},
		logger: silentLogger(),
	});
	const publish: Connection['publish'] = (_topic, payload) => {
		told.push(JSON.parse(String(payload)));
		return Promise.resolve();
	};
	keeper.connect({sessionPresent: true, publish} as Connection);
	return {keeper, told};
};

test('what was told from memory, while the disk was full, does not outlive what the disk has kept', async (t) => {
	const disk = withDatabase(t);
	const revisions: number[] = [];
	for (const [index, database] of [disk, withDatabase(t), disk].entries()) {
		const {keeper, told} = start(database, 1000 * (index + 1));
		keeper.report({...testFacts, bootId: `boot-${index}`});
		await eventually('a report', () => told.length === 1);
		revisions.push(...told.map(({revision}) => revision));
	}
	t.deepEqual(revisions, [1001, 2001, 3001]);
});

test('a clock that went back does not take revisions back', async (t) => {
	const disk = withDatabase(t);
	const ahead = start(disk, 5000);
	ahead.keeper.report(testFacts);
	await eventually('a report', () => ahead.told.length === 1);
	const back = start(disk, 10);
	back.keeper.report({...testFacts, release: '2.5.0'});
	await eventually('another', () => back.told.length === 1);
	t.is(back.told[0]?.revision, 5002);
});

test('a disk that fills up keeps no box from telling what it is', async (t) => {
	const disk = withDatabase(t);
	const {keeper, told} = start(disk, 1000);
	disk.pragma('query_only = ON');
	keeper.report(testFacts);
	keeper.report({...testFacts, release: '2.5.0'});
	await eventually('the newest', () => told.at(-1)?.release === '2.5.0');
	t.true((told.at(-1)?.revision ?? 0) > 1000);
});
