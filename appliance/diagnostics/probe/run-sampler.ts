import type {TelemetrySample} from '#appliance/contract/fleet/spool-schema.ts';
import type {SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import {
	type AlarmChange,
	type AlarmRule,
	type AlarmState,
	alarmRules,
	alarmStateAtStart,
	stepAlarm,
} from '#appliance/diagnostics/probe/alarm-rule.ts';
import {readRoleValues, serviceValues} from '#appliance/diagnostics/probe/role-values.ts';
import {type MetricValues, readSystemValues, type SystemMarks} from '#appliance/diagnostics/probe/system-values.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';

export type SamplerOptions = {
	readonly intervalMs: number;
	readonly stateDirectory: string;
	readonly status: () => SupervisorStatus;
	readonly tellSample: (sample: TelemetrySample) => void;
	readonly tellAlarm: (change: AlarmChange) => void;
	readonly logger: Logger;
	readonly signal: AbortSignal;
	readonly rules?: readonly AlarmRule[];
	/** Measures of others, such as a tuner. */
	readonly extraValues?: () => Promise<MetricValues>;
	readonly clock?: Clock;
};

/** Measures the box at equal intervals until the signal aborts; a measure that fails is one that is missing. */
export const runSampler = async (options: SamplerOptions): Promise<void> => {
	const {intervalMs, signal, logger, rules = alarmRules} = options;
	const alarms = new Map<string, AlarmState>();
	let before: SystemMarks | undefined;
	while (!signal.aborted) {
		try {
			const {sample, marks} = await takeSample(options, before);
			before = marks;
			options.tellSample(sample);
			for (const change of judge(sample.values, rules, alarms)) {
				options.tellAlarm(change);
			}
		} catch (error) {
			logger.warn({err: error}, 'could not measure the box');
		}
		await sleep(intervalMs, {signal}).catch(() => undefined);
	}
};

const takeSample = async (
	{stateDirectory, status, signal, extraValues, clock = systemClock}: SamplerOptions,
	before: SystemMarks | undefined,
): Promise<{readonly sample: TelemetrySample; readonly marks: SystemMarks}> => {
	const supervisor = status();
	const [system, role, extra] = await Promise.all([
		readSystemValues({stateDirectory, before}),
		readRoleValues(supervisor, {signal}),
		extraValues?.() ?? {},
	]);
	const values = {...system.values, ...serviceValues(supervisor), ...role, ...extra};
	return {sample: {atMs: clock.nowMs(), values}, marks: system.marks};
};

const judge = (
	values: MetricValues,
	rules: readonly AlarmRule[],
	alarms: Map<string, AlarmState>,
): readonly AlarmChange[] =>
	rules.flatMap((rule) => {
		const value = values[rule.metric];
		if (value === undefined) {
			return [];
		}
		const {state, change} = stepAlarm(alarms.get(rule.alarm) ?? alarmStateAtStart, rule, value);
		alarms.set(rule.alarm, state);
		return change === undefined ? [] : [change];
	});
