import test from 'ava';
import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import type {StbStatus} from '#appliance/contract/stb-status-schema.ts';
import {type DemoFacts, makeReport} from '#demo/report/make-report.ts';
import {demoReportSchema, type PlaybackResult} from '#demo/report/report-schema.ts';
import {summarise} from '#demo/report/summarise.ts';

const played: PlaybackResult = {
	titleId: 'a',
	startupMs: 1000,
	stalls: 0,
	stalledMs: 0,
	framesDecoded: 500,
	framesDropped: 0,
	playedMs: 20_000,
	retries: 0,
};

const facts: DemoFacts = {
	startedMs: 1_790_000_000_000,
	endedMs: 1_790_000_030_000,
	seed: 1,
	headend: {
		carousel: {objectsSent: 9},
		uplink: {rateErrorRatio: 0.001, rateBps: 20_000_000},
	} as unknown as HeadendStatus,
	stb: {
		objects: {received: 8, repaired: 2, failed: 0, arriving: []},
		receive: {bytes: 5000, fecRecoveredBytes: 70, kernelDrops: 0},
		repair: {requests: 3, bytes: 100, failures: 0, latencyMs: {p50: 10, p99: 20}},
		cache: {objects: 8, hits: 9, misses: 1, hitRatio: 0.9},
		terrestrial: {bytes: 10},
	} as unknown as StbStatus,
	link: {
		packets: 100,
		bytes: 1,
		lost: 2,
		faded: 3,
		duplicated: 0,
		delayed: 0,
		damaged: 0,
		failed: 0,
		injectedRatio: 0.05,
	},
	check: {checked: 8, identical: 8, signalling: 1, unknown: 0, gone: 0, different: []},
	playback: {vod: played, live: played},
	fleet: {boxes: 3, enrolled: 3, online: 3},
};

test('a run without a flaw is ok and satisfies its schema', (t) => {
	const report = makeReport(facts);
	t.true(report.ok);
	t.deepEqual(demoReportSchema.parse(JSON.parse(JSON.stringify(report))), report);
	t.is(summarise(report).at(-1), 'all is well');
});

const flaw = test.macro({
	exec: (t, change: Partial<DemoFacts>, reason: RegExp) => {
		const report = makeReport({...facts, ...change});
		t.false(report.ok);
		t.regex(report.reasons.join('; '), reason);
		t.regex(summarise(report).at(-1) ?? '', /^not well: /u);
	},
	title: (title = '') => `it is not ok when ${title}`,
});

test('an object differs', flaw, {check: {...facts.check, identical: 7, different: ['http://dvb.gw/x']}}, /dvb\.gw\/x/u);
test('nothing arrived', flaw, {check: {...facts.check, checked: 0, identical: 0}}, /no object arrived/u);
test(
	'the title stalled',
	flaw,
	{playback: {vod: {...played, stalls: 1, stalledMs: 300}, live: played}},
	/title stalled 1/u,
);
test('live never started', flaw, {playback: {vod: played, live: {...played, startupMs: null}}}, /live never started/u);
test('there is no frame', flaw, {playback: {vod: {...played, framesDecoded: 0}, live: played}}, /showed no frame/u);
test('the player failed', flaw, {playback: {vod: {...played, error: 'X: y'}, live: played}}, /title failed: X: y/u);
test('a box did not enrol', flaw, {fleet: {boxes: 3, enrolled: 2, online: 2}}, /2 of 3 boxes enrolled/u);
test('a box is not online', flaw, {fleet: {boxes: 3, enrolled: 3, online: 1}}, /sees 1 of 3 boxes online/u);

const update = {
	release: '0.2.0',
	bundleBytes: 4000,
	stoppedByItself: true,
	waves: [
		{name: 'first wave', boxes: ['a'], confirmed: 1, rolledBack: 0, reasons: []},
		{name: 'second wave', boxes: ['b'], confirmed: 0, rolledBack: 1, reasons: ['OTA_X: why']},
	],
	bytesUnicast: 0,
	bytesMulticast: 8000,
};

test('an update of which one wave fell back is told, and is ok', (t) => {
	const report = makeReport({...facts, update});
	t.true(report.ok);
	t.deepEqual(demoReportSchema.parse(JSON.parse(JSON.stringify(report))), report);
	t.regex(summarise(report).join('\n'), /second wave: 0 of 1 confirmed, 1 rolled back \(OTA_X: why\)/u);
});

test('the rollout went on', flaw, {update: {...update, stoppedByItself: false}}, /did not stop/u);
test('nothing came by satellite', flaw, {update: {...update, bytesMulticast: 0}}, /no byte of the release/u);
test(
	'no wave fell back',
	flaw,
	{update: {...update, waves: update.waves.map((wave) => ({...wave, confirmed: 1, rolledBack: 0}))}},
	/0 waves fell back, not 1/u,
);

const signal = {
	form: 'gse',
	modcod: '8PSK 3/4',
	carrierBytes: 4000,
	datagrams: 3,
	damage: 0,
	kernelDrops: 0,
	droppedDatagrams: 0,
} as const;

test('what came by a real signal is told, and is ok', (t) => {
	const report = makeReport({...facts, signal});
	t.true(report.ok);
	t.deepEqual(demoReportSchema.parse(JSON.parse(JSON.stringify(report))), report);
	t.regex(summarise(report).join('\n'), /3 datagrams by GSE in 0 MB of 8PSK 3\/4, 0 damages/u);
});

test('the signal was empty', flaw, {signal: {...signal, datagrams: 0}}, /no datagram came by the signal/u);
test('the plan was too much', flaw, {signal: {...signal, droppedDatagrams: 2}}, /no room for 2 datagrams/u);
