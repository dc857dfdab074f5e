import test from 'ava';
import {demoReportSchema} from '#demo/report/report-schema.ts';
import {describeRollout, reportUpdate} from '#demo/update/report-update.ts';
import type {RolloutMember} from '#demo/update/roll-out.ts';
import type {Rollout} from '#ota/contract/rollout-api.ts';

const counts = {waiting: 0, ordered: 0, retrying: 0, done: 0, failed: 0, withdrawn: 0, skipped: 0};

const rollout = {
	state: 'running',
	spec: {release: '0.2.0'},
	groups: [
		{ordinal: 0, spec: {name: 'first wave'}, counts: {...counts, failed: 1}, phases: {}},
		{ordinal: 1, spec: {name: 'second wave'}, counts: {...counts, ordered: 1}, phases: {fetching: 1}},
	],
} as unknown as Rollout;

const members = [
	{
		...{box: 'one', group: 0, state: 'failed', phase: 'rolled-back'},
		reason: {code: 'OTA_ROLLED_BACK_CHECKS', message: 'role: stb is starting'},
		bytes: {carousel: 900, local: 0, unicast: 100},
	},
	{
		...{box: 'two', group: 1, state: 'done', phase: 'confirmed', reason: null},
		bytes: {carousel: 1000, local: 0, unicast: 7},
	},
] as unknown as readonly RolloutMember[];

test('the report tells of each wave who kept the release and why not, and what it cost', (t) => {
	const report = reportUpdate({rollout, members, bundleBytes: 1000, stopped: true});
	t.deepEqual(report, {
		...{release: '0.2.0', bundleBytes: 1000, stoppedByItself: true, bytesUnicast: 107, bytesMulticast: 1900},
		waves: [
			{
				...{name: 'first wave', boxes: ['one'], confirmed: 0, rolledBack: 1},
				reasons: ['OTA_ROLLED_BACK_CHECKS: role: stb is starting'],
			},
			{name: 'second wave', boxes: ['two'], confirmed: 1, rolledBack: 0, reasons: []},
		],
	});
	t.deepEqual(demoReportSchema.shape.update.parse(report), report);
});

test('a box that was given up, and one that runs the release only by chance, are not confirmed', (t) => {
	const [first, second] = members as [RolloutMember, RolloutMember];
	const {waves} = reportUpdate({
		...{rollout, bundleBytes: 1, stopped: false},
		members: [
			{...first, phase: 'rebooting'},
			{...second, state: 'failed'},
		],
	});
	t.deepEqual(
		waves.map(({confirmed, rolledBack}) => [confirmed, rolledBack]),
		[
			[0, 0],
			[0, 0],
		],
	);
});

test('a line of progress says where each wave stands', (t) => {
	t.is(describeRollout(rollout), 'rollout running: first wave 1 failed; second wave 1 ordered, fetching');
});
