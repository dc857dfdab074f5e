import {mkdir, mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {silentLogger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {type DemoFleet, startDemoFleet} from '#demo/fleet/start-demo-fleet.ts';
import {startRollout, watchRollout} from '#demo/update/roll-out.ts';
import type {RolloutCreate} from '#ota/contract/rollout-api.ts';
import {openFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';
import type {Bench, BenchOptions, BenchRow} from '#test/bench/bench-row.ts';
import {type Costs, costRows} from '#test/bench/fleet/cost-rows.ts';
import {measureLists} from '#test/bench/fleet/measure-lists.ts';
import {openFilesMax} from '#test/bench/fleet/open-files.ts';
import {costOf, descendantNamed} from '#test/bench/fleet/process-cost.ts';
import {certifyBoxes, registerBoxes} from '#test/bench/fleet/register-boxes.ts';
import {publishSampleRelease} from '#test/bench/fleet/sample-release.ts';
import {percentile, type Simulation, startSimulation} from '#test/bench/fleet/simulator.ts';

/** Fewer for a look: STREAMVERSE_BENCH_BOXES. */
const boxesWanted = Number(process.env['STREAMVERSE_BENCH_BOXES'] ?? 20_000);
const registeredBoxes = 100_000;
/** Files that a broker has open beside its clients. */
const filesOfBroker = 64;
const simulators = 2;
const connectPerSecond = 250;
const telemetryIntervalMs = 60_000;
const steadyMs = 60_000;
/** A server that has just started settles: its first leases, its first turn of every work. */
const idleMs = 10_000;
/** A fifth of the fleet at a time, as no operator would dare. */
const inFlightMax = 4000;
const updateMs = 20_000;
const settleMs = 120_000;
const oldRelease = '1.0.0';
const newRelease = '1.1.0';
const fleetName = 'demo';

const bars = {latencyMs: 2000, planMs: 1000, listMs: 200} as const;

/**
 * Simulated boxes against mosquitto, one fleet server and SQLite, all on this machine: they connect with certificates of
 * their own, report, send telemetry every 60 s and take a release in three groups. Every record counts as arrived when
 * the fleet's acknowledgement, which follows its commit, has come back to the box.
 */
export const run: Bench = async ({signal, progress}) => {
	await using stack = new AsyncDisposableStack();
	const directory = await mkdtemp(join(tmpdir(), 'streamverse-bench-fleet-'));
	stack.defer(() => rm(directory, {recursive: true, force: true}));
	const count = Math.min(boxesWanted, openFilesMax() - filesOfBroker);
	const stateDirectory = join(directory, 'fleet');
	progress(`certifying ${count} boxes`);
	const simulated = await prepare({stateDirectory, count});
	const fleet = stack.use(await startDemoFleet({stateDirectory, logger: silentLogger(), signal}));
	const [server = 0] = fleet.pids();
	const broker = descendantNamed(server, 'mosquitto');
	const costs = (): Costs => ({server: costOf(server), broker: costOf(broker)});
	await sleep(idleMs, {signal});
	const idle = costs();
	const half = Math.floor(count / 2);
	const simulation = stack.use(
		startSimulation({
			processes: simulators,
			order: {
				...simulated,
				...{host: '127.0.0.1', port: await brokerPort(stateDirectory), release: oldRelease},
				...{telemetryIntervalMs, updateMs, connectPerSecond, firstBoxes: half},
			},
		}),
	);
	const context = {fleet, simulation, count, directory, signal, progress};
	await connectUpTo(half, context);
	await beSteady(context);
	const halfThere = costs();
	simulation.connectRest();
	const rows: BenchRow[] = [...(await connectAll(half, context))];
	const steadyFrom = costs();
	rows.push(...(await beSteady(context)));
	rows.push(...costRows({half, count, idle, halfThere, steadyFrom, steadyTo: costs(), steadyMs}));
	rows.push(...(await rollOut(context)));
	rows.push(...(await verifyNothingLost(context)));
	return [...rows, ...(await measureRegistry(context))];
};

type Context = {
	readonly fleet: DemoFleet;
	readonly simulation: Simulation;
	readonly count: number;
	readonly directory: string;
} & BenchOptions;

/** The broker keeps the port that it took at its first start. */
const brokerPort = async (stateDirectory: string): Promise<number> =>
	Number(await readFile(join(stateDirectory, 'port-broker'), 'utf8'));

const prepare = async ({stateDirectory, count}: {readonly stateDirectory: string; readonly count: number}) => {
	await mkdir(stateDirectory, {recursive: true});
	await using store = await openFleetDatabase({url: `sqlite:${join(stateDirectory, 'fleet.db')}`});
	const {database} = store;
	await registerBoxes(database, {from: 0, to: count, release: oldRelease});
	return await certifyBoxes({fleet: fleetName, stateDirectory, database, count});
};

/** False when they are not all there in time. */
const connectUpTo = (boxes: number, {simulation, signal, progress}: Context): Promise<boolean> =>
	simulation.until(({connected, unacknowledged}) => connected === boxes && unacknowledged === 0, {
		timeoutMs: (boxes / connectPerSecond) * 1000 + settleMs,
		signal,
		onLook: ({connected, unacknowledged, lastError}) =>
			progress(`${connected} of ${boxes} boxes connected, ${unacknowledged} records under way ${lastError}`),
	});

const connectAll = async (alreadyThere: number, context: Context): Promise<readonly BenchRow[]> => {
	const {simulation, count} = context;
	const startedMs = performance.now();
	const allThere = await connectUpTo(count, context);
	const seconds = (performance.now() - startedMs) / 1000;
	const {connected} = simulation.totals();
	return [
		{name: 'boxes connected, one broker', value: connected, unit: 'boxes', bar: count, pass: allThere},
		{name: 'connecting and first reports', value: (count - alreadyThere) / seconds, unit: 'boxes/s'},
		latencyRow('event to database and back while connecting, p99', simulation.takeLatencies(), 0.99),
	];
};

/** The fleet as it is most of the time. */
const beSteady = async ({simulation, signal, progress}: Context): Promise<readonly BenchRow[]> => {
	progress(`${steadyMs / 1000} s of telemetry`);
	const before = simulation.totals();
	await sleep(steadyMs, {signal});
	const after = simulation.totals();
	return [
		{
			name: 'telemetry of all boxes',
			value: (after.telemetry - before.telemetry) / (steadyMs / 1000),
			unit: 'batches/s',
		},
	];
};

const rolloutOf = (limit: number): RolloutCreate => ({
	name: 'bench',
	release: newRelease as RolloutCreate['release'],
	kind: 'stb',
	filter: `release < ${newRelease}`,
	groups: [
		{name: 'first', size: {kind: 'percent', percent: 1}},
		{name: 'second', size: {kind: 'percent', percent: 10}},
		{name: 'rest', size: {kind: 'percent', percent: 100}},
	],
	inFlightMax: limit,
	lateJoiners: {kind: 'ignore'},
});

const rollOut = async (context: Context): Promise<readonly BenchRow[]> => {
	const {fleet, simulation, count, directory, signal, progress} = context;
	const {url, token, ask, stateDirectory} = fleet;
	const keyDirectory = join(stateDirectory, 'release-key');
	await publishSampleRelease({directory, keyDirectory, release: newRelease, fleet: {url, token}, signal});
	simulation.takeLatencies();
	const startedMs = performance.now();
	const {id} = await startRollout({url, ask, rollout: rolloutOf(inFlightMax), signal});
	const rollout = await watchRollout({
		...{ask, id, signal, timeoutMs: 600_000},
		until: ({state}) => state === 'finished' || state === 'paused' || state === 'aborted',
		onChange: ({state, counts}) => progress(`rollout ${state}: ${JSON.stringify(counts)}`),
	});
	const seconds = (performance.now() - startedMs) / 1000;
	const allTold = await simulation.until(({updated}) => updated === count, {timeoutMs: settleMs, signal});
	return [
		{
			name: 'boxes updated by a rollout of three groups',
			value: rollout.counts.done,
			unit: 'boxes',
			bar: count,
			pass: rollout.state === 'finished' && rollout.counts.done === count && allTold,
		},
		{name: 'that rollout', value: seconds, unit: 's'},
		latencyRow('event to database and back during it, p99', simulation.takeLatencies(), 0.99),
	];
};

const latencyRow = (name: string, sorted: Float64Array, share: number): BenchRow => {
	const value = percentile(sorted, share);
	return {name, value, unit: 'ms', bar: bars.latencyMs, pass: sorted.length > 0 && value < bars.latencyMs};
};

/** Every record that a box has sent is a row. */
const verifyNothingLost = async (context: Context): Promise<readonly BenchRow[]> => {
	const {simulation, fleet, signal} = context;
	const settled = await simulation.until(({unacknowledged}) => unacknowledged === 0, {timeoutMs: settleMs, signal});
	await using store = await openFleetDatabase({url: `sqlite:${join(fleet.stateDirectory, 'fleet.db')}`});
	const {rows} = await store.database
		.selectFrom('box_event')
		.select((build) => build.fn.countAll<number>().as('rows'))
		.executeTakeFirstOrThrow();
	const {events} = simulation.totals();
	return [
		{
			name: 'events lost',
			value: events - Number(rows),
			unit: 'of the sent',
			bar: 0,
			pass: settled && events === Number(rows),
		},
	];
};

/** The registry at its full size; the boxes beyond the simulated ones are rows that nobody hears of. */
const measureRegistry = async ({fleet, count, signal, progress, simulation}: Context): Promise<readonly BenchRow[]> => {
	simulation[Symbol.dispose]();
	progress(`registering ${registeredBoxes - count} boxes more`);
	{
		await using store = await openFleetDatabase({url: `sqlite:${join(fleet.stateDirectory, 'fleet.db')}`});
		await registerBoxes(store.database, {from: count, to: registeredBoxes, release: oldRelease});
	}
	await sleep(5000, {signal});
	const times = await measureLists(fleet.ask);
	const listMs = percentile(times, 0.95);
	const startedMs = performance.now();
	const plan = {...rolloutOf(500), filter: ''};
	const made = (await fleet.ask('POST', '/rollouts', plan)) as {readonly boxes: number};
	const planMs = performance.now() - startedMs;
	const enough = made.boxes === registeredBoxes;
	return [
		{
			name: 'a rollout over 100,000 boxes planned',
			value: planMs,
			unit: 'ms',
			bar: bars.planMs,
			pass: enough && planMs < bars.planMs,
		},
		{
			name: "the console's lists at 100,000, p95",
			value: listMs,
			unit: 'ms',
			bar: bars.listMs,
			pass: listMs < bars.listMs,
		},
		{name: "the console's lists at 100,000, p50", value: percentile(times, 0.5), unit: 'ms'},
	];
};
