import {once} from 'node:events';
import test, {type ExecutionContext} from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import type {SignalStatistics, Tuner} from '#native/dvb/tuner.ts';
import {NativeError} from '#native/native-error.ts';
import type {Announcement} from '#stb/tuner/announcement-listener.ts';
import type {Carrier} from '#stb/tuner/carrier.ts';
import {type TunerConfig, tunerConfigSchema} from '#stb/tuner/tuner-config.ts';
import {TunerRunner} from '#stb/tuner/tuner-runner.ts';
import {carrierOf} from '#stb/tuner/tuner-state.ts';
import {eventually} from '#test/helper/eventually.ts';

const carrier = (frequencyKhz: number): Carrier => ({
	...{system: 'DVB-S2', frequencyKhz, polarization: 'vertical', symbolRate: 27_500_000},
});
const [home, other, far] = [carrier(11_000_000), carrier(11_500_000), carrier(12_000_000)];

/** A satellite: what is lit, and what is heard there; and a tuner that can be taken away. */
const createSky = () => ({
	lit: new Set<number>(),
	announcements: new Map<number, Announcement>(),
	tables: new Map<number, readonly Carrier[]>(),
	present: true,
	gone: false,
	refused: new Set<number>(),
	/** Of what the antenna hears, with a lock or without. */
	levelDbm: -60,
	tablesLast: false,
	tableReadings: [] as string[],
	tuned: [] as number[],
	pumps: [] as string[],
	opened: 0,
});

const fakeTuner = (sky: ReturnType<typeof createSky>): Tuner => {
	const statistics = (): SignalStatistics => {
		const locked = sky.lit.has(sky.tuned.at(-1) ?? 0);
		const {levelDbm} = sky;
		return {signal: locked, carrier: locked, code: locked, sync: locked, locked, levelDbm, ...(locked && {cnrDb: 12})};
	};
	const alive = <Answer>(answer: () => Answer): Promise<Answer> =>
		sky.gone ? Promise.reject(new NativeError('NATIVE_DVB_GONE', 'gone')) : Promise.resolve(answer());
	const never = (): never => {
		throw new Error('the runner reads nothing itself');
	};
	return {
		...{name: 'adapter0/frontend0', format: 'ts', read: never, sections: never, pes: never},
		tune: async ({frequencyKhz}) => {
			if (sky.refused.has(frequencyKhz)) {
				throw new NativeError('NATIVE_DVB_REFUSED', 'the driver does not tune');
			}
			await alive(() => void sky.tuned.push(frequencyKhz));
		},
		statistics: () => alive(statistics),
		close: () => Promise.resolve(),
		[Symbol.asyncDispose]: () => Promise.resolve(),
	};
};

/** What a box remembers; `learned` is what it knew before. */
const createMemory = (learned: readonly Carrier[]) => {
	const kept: (readonly Carrier[])[] = [];
	return {
		kept,
		keeper: {known: learned, keep: (carriers: readonly Carrier[]) => Promise.resolve(void kept.push(carriers))},
	};
};

const withRunner = (t: ExecutionContext, carriers: readonly Carrier[], limits: Partial<TunerConfig> = {}) => {
	const memory = createMemory(carriers);
	const sky = createSky();
	const short = {lockTimeoutMs: 100, announceTimeoutMs: 100, lossPatienceMs: 100, relockTimeoutMs: 300};
	const runner = new TunerRunner({
		keeper: memory.keeper,
		config: tunerConfigSchema.parse({...short, reopenDelayMs: 100, statisticsIntervalMs: 50, ...limits}),
		open: () => {
			if (!sky.present) {
				throw new NativeError('NATIVE_DVB_ABSENT', 'there is none');
			}
			sky.opened += 1;
			return fakeTuner(sky);
		},
		openPump: ({carrier: {frequencyKhz}}) => {
			sky.pumps.push(`open ${frequencyKhz}`);
			return {
				stats: () => ({bytes: 0, overruns: 1, dropped: 0, damaged: 0, damage: {'section-crc': 1}, datagrams: 0}),
				get failure() {
					return undefined;
				},
				[Symbol.asyncDispose]: () => {
					sky.pumps.push(`close ${frequencyKhz}`);
					return Promise.resolve();
				},
			};
		},
		listener: {
			listen: () => undefined,
			announcement: () => sky.announcements.get(sky.tuned.at(-1) ?? 0) ?? {kind: 'silence'},
		},
		tableCarriers: async (_, {signal}) => {
			sky.tableReadings.push('begun');
			if (sky.tablesLast) {
				await once(signal, 'abort');
				sky.tableReadings.push('ended');
				signal.throwIfAborted();
			}
			return sky.tables.get(sky.tuned.at(-1) ?? 0) ?? [];
		},
		clock: systemClock,
		logger: silentLogger(),
	});
	const stop = new AbortController();
	const running = runner.run({signal: stop.signal});
	t.teardown(async () => {
		stop.abort();
		await running;
	});
	const until = (kind: string, frequencyKhz?: number): Promise<true> =>
		eventually(`${kind} ${frequencyKhz}`, () => {
			const {state} = runner.figures();
			return state.kind === kind && (frequencyKhz === undefined || carrierOf(state)?.frequencyKhz === frequencyKhz);
		});
	return {sky, runner, until, stop, running, kept: memory.kept};
};

const wanted: Announcement = {kind: 'wanted', carriers: []};

test('from configuration: dark carriers are passed by, and the announced one is kept', async (t) => {
	const {sky, runner, until} = withRunner(t, [home, other]);
	sky.lit.add(other.frequencyKhz);
	sky.announcements.set(other.frequencyKhz, wanted);
	await until('acquiring', other.frequencyKhz);
	t.like(runner.figures(), {name: 'adapter0/frontend0', signal: {locked: true}, losses: 0});
	await eventually('the noise is told', () => runner.figures().signal.cnrDb === 12);
	t.deepEqual(sky.pumps, [`open ${other.frequencyKhz}`]);
});

test('a dish that is swept is told its level at each look, before there is a lock', async (t) => {
	const {sky, runner, until} = withRunner(t, [home], {lockTimeoutMs: 3_600_000});
	await until('searching', home.frequencyKhz);
	for (const levelDbm of [-71, -52, -64]) {
		sky.levelDbm = levelDbm;
		await eventually(`${levelDbm} dBm`, () => runner.figures().signal.levelDbm === levelDbm);
	}
	t.deepEqual(runner.figures().state.kind, 'searching');
	t.false(runner.figures().signal.locked);
});

test('the level goes on being told while tables are read, and a lock that goes ends the reading', async (t) => {
	const {sky, runner} = withRunner(t, [home]);
	sky.lit.add(home.frequencyKhz);
	sky.tablesLast = true;
	await eventually('tables are read', () => sky.tableReadings.length === 1);
	sky.levelDbm = -52;
	await eventually('the level is told', () => runner.figures().signal.levelDbm === -52);
	t.deepEqual(sky.tableReadings, ['begun']);
	sky.lit.clear();
	await eventually('the reading ends', () => sky.tableReadings.length === 2);
	t.deepEqual(sky.tableReadings, ['begun', 'ended']);
});

test('from a bare dish: a foreign network tells where the own one is', async (t) => {
	const {sky, until, kept} = withRunner(t, [home]);
	sky.lit.add(home.frequencyKhz).add(far.frequencyKhz);
	sky.announcements.set(home.frequencyKhz, {kind: 'elsewhere', carriers: [far]});
	sky.announcements.set(far.frequencyKhz, wanted);
	await until('acquiring', far.frequencyKhz);
	t.deepEqual(sky.pumps, [`open ${home.frequencyKhz}`, `close ${home.frequencyKhz}`, `open ${far.frequencyKhz}`]);
	t.deepEqual(await eventually('it is kept', () => kept[0]), [far, home], 'what was found comes first the next time');
});

test('from a bare dish: a carrier without NIP tells by its own tables', async (t) => {
	const {sky, until} = withRunner(t, [home]);
	sky.lit.add(home.frequencyKhz).add(far.frequencyKhz);
	sky.tables.set(home.frequencyKhz, [far]);
	sky.announcements.set(far.frequencyKhz, wanted);
	await until('acquiring', far.frequencyKhz);
	t.pass();
});

test('a loss is waited out on the same carrier, with the datagrams’ way left open', async (t) => {
	const {sky, runner, until} = withRunner(t, [home, other], {relockTimeoutMs: 60_000});
	sky.lit.add(home.frequencyKhz);
	sky.announcements.set(home.frequencyKhz, wanted);
	await until('acquiring', home.frequencyKhz);
	sky.lit.clear();
	await until('lost', home.frequencyKhz);
	t.false(runner.figures().signal.locked);
	sky.lit.add(home.frequencyKhz);
	await until('acquiring', home.frequencyKhz);
	t.is(runner.figures().losses, 1);
	t.deepEqual(sky.pumps, [`open ${home.frequencyKhz}`]);
});

test('a loss that lasts ends in a search, which finds the carousel elsewhere', async (t) => {
	const {sky, until} = withRunner(t, [home, other]);
	sky.lit.add(home.frequencyKhz);
	sky.announcements.set(home.frequencyKhz, wanted).set(other.frequencyKhz, wanted);
	await until('acquiring', home.frequencyKhz);
	sky.lit.clear();
	sky.lit.add(other.frequencyKhz);
	await until('acquiring', other.frequencyKhz);
	t.deepEqual(sky.pumps, [`open ${home.frequencyKhz}`, `close ${home.frequencyKhz}`, `open ${other.frequencyKhz}`]);
});

test('a tuner that is pulled out is closed, and used again when it is back', async (t) => {
	const {sky, runner, until} = withRunner(t, [other, home]);
	sky.lit.add(home.frequencyKhz);
	sky.announcements.set(home.frequencyKhz, wanted);
	await until('acquiring', home.frequencyKhz);
	sky.present = false;
	sky.gone = true;
	await until('absent');
	t.deepEqual(sky.pumps.at(-1), `close ${home.frequencyKhz}`);
	t.false(runner.figures().signal.locked);
	Object.assign(sky, {present: true, gone: false, tuned: []});
	await until('acquiring', home.frequencyKhz);
	t.is(sky.tuned[0], home.frequencyKhz, 'where the carousel was before');
	t.is(sky.opened, 2);
	t.is(runner.figures().overruns, 2, 'counts go on');
});

test('a carrier that the driver refuses is passed by, without closing the device', async (t) => {
	const {sky, until} = withRunner(t, [far, home]);
	sky.refused.add(far.frequencyKhz);
	sky.lit.add(home.frequencyKhz);
	sky.announcements.set(home.frequencyKhz, wanted);
	await until('acquiring', home.frequencyKhz);
	t.is(sky.opened, 1);
});

test('without a tuner or without carriers it waits, and stops when it is told to', async (t) => {
	const {sky, until, stop, running} = withRunner(t, []);
	await until('idle');
	sky.gone = true;
	stop.abort();
	await running;
	t.is(sky.opened, 1);
});
