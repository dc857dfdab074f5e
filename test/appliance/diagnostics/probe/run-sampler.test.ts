import test from 'ava';
import fc from 'fast-check';
import {metricNameSchema, type TelemetrySample} from '#appliance/contract/fleet/spool-schema.ts';
import type {SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import {
	type AlarmChange,
	type AlarmRule,
	alarmRules,
	alarmStateAtStart,
	stepAlarm,
} from '#appliance/diagnostics/probe/alarm-rule.ts';
import {runSampler} from '#appliance/diagnostics/probe/run-sampler.ts';
import {parseCpuTicks, parseNetworkCounters, parseOwnMemory} from '#appliance/diagnostics/probe/system-values.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const disk: AlarmRule = {
	...{alarm: 'disk', metric: 'free', direction: 'below', raiseAt: 5, clearAt: 8, samplesMin: 2},
	message: (value) => `${value} free`,
};

const run = (rule: AlarmRule, values: readonly number[]): readonly AlarmChange[] => {
	const changes: AlarmChange[] = [];
	values.reduce((state, value) => {
		const step = stepAlarm(state, rule, value);
		if (step.change !== undefined) {
			changes.push(step.change);
		}
		return step.state;
	}, alarmStateAtStart);
	return changes;
};

test('an alarm rings once, and is over only well beyond where it began', (t) => {
	t.deepEqual(
		run(disk, [9, 4, 9, 4, 3, 6, 4, 7, 9, 7, 9, 9, 9]).map(({raised, value}) => [raised, value]),
		[
			[true, 3],
			[false, 9],
		],
	);
});

test('whatever is measured, changes alternate and agree with the measures before them', (t) => {
	fc.assert(
		fc.property(fc.array(fc.double({min: 0, max: 12, noNaN: true}), {maxLength: 60}), (values) => {
			const changes = run(disk, values);
			return changes.every(
				({raised, value}, index) => raised === (index % 2 === 0) && (raised ? value < 5 : value >= 8),
			);
		}),
	);
	t.pass();
});

test('a real machine is measured, by names that the contract takes, and a full disk is told once', async (t) => {
	const samples: TelemetrySample[] = [];
	const alarms: AlarmChange[] = [];
	const stop = new AbortController();
	t.teardown(() => stop.abort());
	void runSampler({
		...{intervalMs: 50, stateDirectory: await withDirectory(t), logger: silentLogger(), signal: stop.signal},
		status: () =>
			({box: {id: 'box-1', kind: 'stb'}, healthy: true, services: [], version: 1}) as unknown as SupervisorStatus,
		tellSample: (sample) => samples.push(sample),
		tellAlarm: (change) => alarms.push(change),
		extraValues: () => Promise.resolve({disk_free_ratio: 0.01, signal_margin_db: 9}),
	});
	await eventually('samples', () => samples.length >= 3);
	const values = samples[2]?.values ?? {};
	for (const [name, value] of Object.entries(values)) {
		t.true(metricNameSchema.safeParse(name).success && Number.isFinite(value), name);
	}
	t.true((values['memory_available_bytes'] ?? 0) > 0 && (values['cpu_busy_ratio'] ?? -1) >= 0);
	t.deepEqual(
		alarms.map(({alarm}) => alarm),
		['disk'],
	);
	t.is(new Set(alarmRules.map(({alarm}) => alarm)).size, alarmRules.length);
});

test('counters of the kernel are read whatever their file holds', (t) => {
	t.deepEqual(parseCpuTicks('cpu  10 0 5 80 5 0 0 0 0 0\ncpu0 1 1'), {allTicks: 100, busyTicks: 15});
	t.deepEqual(parseCpuTicks(''), {allTicks: 0, busyTicks: 0});
	const header = 'Inter-|   Receive\n face |bytes\n';
	t.like(
		parseNetworkCounters(`${header}    lo: 9 9 9 9 9 9 9 9 9 9 9 9\n eth0: 100 1 2 3 0 0 0 0 50 1 0 4 0 0 0 0\n`),
		{
			...{network_received_bytes: 100, network_sent_bytes: 50, network_received_errors: 2, network_dropped_packets: 7},
		},
	);
	t.like(parseNetworkCounters('eth0: nonsense'), {network_received_bytes: 0});
});

test('of a process its memory is told in three measures', (t) => {
	const rollup =
		'Rss:               98304 kB\nPss:               61440 kB\nPss_Dirty: 1 kB\nAnonymous:         40960 kB\n';
	t.deepEqual(parseOwnMemory(rollup), {
		supervisor_resident_bytes: 98_304 * 1024,
		supervisor_proportional_bytes: 61_440 * 1024,
		supervisor_anonymous_bytes: 40_960 * 1024,
	});
	t.deepEqual(parseOwnMemory(''), {});
});
