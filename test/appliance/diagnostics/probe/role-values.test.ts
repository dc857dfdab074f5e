import test from 'ava';
import {type StbStatus, stbStatusSchema} from '#appliance/contract/stb-status-schema.ts';
import {alarmRules, alarmStateAtStart, stepAlarm} from '#appliance/diagnostics/probe/alarm-rule.ts';
import {stbValues} from '#appliance/diagnostics/probe/role-values.ts';

const counts = {requests: 0, bytes: 0, failures: 0};
const statusWith = (tuner?: object): StbStatus =>
	stbStatusSchema.parse({
		...{version: 1, box: 'stb', nowMs: 0, tuned: {announced: false, sessions: []}},
		...(tuner === undefined ? {} : {tuner}),
		receive: {packets: 0, bytes: 0, rateBps: 0, kernelDrops: 0, malformedPackets: 0, fecRecoveredBytes: 0},
		objects: {received: 0, repaired: 0, failed: 0, arriving: []},
		repair: {...counts, latencyMs: {p50: 0, p99: 0}},
		cache: {objects: 0, bytes: 0, budgetBytes: 0, hits: 0, misses: 0, hitRatio: 0, evictions: 0},
		terrestrial: counts,
	});

const work = {
	...{phase: 'acquiring', lockMs: 230, marginDb: 4.5, sectionErrors: 7, sectionErrorsPerMinute: 2},
	...{overruns: 1, droppedBytes: 0, losses: 3},
};

test('a tuner’s measures go to telemetry under their names, what is not measured does not', (t) => {
	const values = stbValues(statusWith({name: 'adapter0', locked: true, levelDbm: -51, cnrDb: 12.4, work}));
	t.like(values, {
		...{tuner_locked: 1, tuner_level_dbm: -51, tuner_cnr_db: 12.4, tuner_lock_ms: 230, signal_margin_db: 4.5},
		...{tuner_section_errors: 7, tuner_section_errors_per_minute: 2, tuner_overruns: 1, tuner_losses: 3},
	});
	t.false('tuner_bit_error_ratio' in values);
	t.false('tuner_locked' in stbValues(statusWith()));
});

const rings = test.macro((t, tuner: object, alarm: string) => {
	const values = stbValues(statusWith({name: 'adapter0', locked: true, ...tuner}));
	const raised = alarmRules.filter((rule) => {
		let state = alarmStateAtStart;
		for (let sample = 0; sample < rule.samplesMin; sample += 1) {
			const value = values[rule.metric];
			state = value === undefined ? state : stepAlarm(state, rule, value).state;
		}
		return state.raised;
	});
	t.deepEqual(
		raised.map((rule) => rule.alarm),
		alarm === '' ? [] : [alarm],
	);
});
test('a good signal rings nothing', rings, {work}, '');
test('a tuner without a lock rings', rings, {locked: false}, 'lock');
test('damaged sections ring', rings, {work: {...work, sectionErrorsPerMinute: 61}}, 'sections');
test('a small margin rings', rings, {work: {...work, marginDb: 0.9}}, 'signal');
