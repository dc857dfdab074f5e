import test from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import type {FleetLink} from '#appliance/mqtt/fleet-link.ts';
import type {UpdateState} from '#ota/agent/update-state.ts';
import {createReporter} from '#ota/member/create-reporter.ts';
import {nothingKept} from '#ota/member/kept-update.ts';
import type {MemberState} from '#ota/member/member-state.ts';
import {eventually} from '#test/helper/eventually.ts';
import {sampleJob} from '#test/helper/sample-update.ts';

/** What a report looks at, and no more. */
const withState = () => {
	const reports: {readonly phase: string; readonly slots: number}[] = [];
	const clock = {nowMs: 0};
	const state: Pick<MemberState, 'supervisorStatus' | 'overlay' | 'agent' | 'kept'> = {
		...{bootId: 'boot', bootedMs: 0, release: '2.0.0', hardware: {}, config: {fleet: {}}, slots: [], connected: false},
		...{clock: {nowMs: () => clock.nowMs, monotonicMs: () => clock.nowMs}},
		supervisorStatus: () => ({healthy: true, reasons: [], services: []}) as never,
		overlay: {status: () => ({revision: 0})} as never,
		kept: nothingKept,
	};
	const link = {
		report: ({update, slots}: {readonly update: {readonly phase: string}; readonly slots: readonly unknown[]}) =>
			reports.push({phase: update.phase, slots: slots.length}),
		onConnected: () => () => undefined,
	};
	return {reports, clock, state: state as MemberState, link: link as unknown as FleetLink};
};
const common = {logger: silentLogger(), signal: AbortSignal.timeout(60_000)};
const rebooting: UpdateState = {kind: 'rebooting', job: sampleJob(), fromSlot: 'rootfs.1', tries: 1, sinceMs: 0};
const confirming = {status: () => ({phase: 'confirming', sinceMs: 0})} as never;

test('nothing is reported before it is known where an update stands, however often something changes', async (t) => {
	const {reports, state, link} = withState();
	await using reporter = createReporter({...common, state, link, installer: undefined});
	reporter.changed();
	await new Promise(setImmediate);
	t.deepEqual(reports, []);
	state.agent = confirming;
	reporter.start();
	await eventually('it reports', () => reports.length > 0);
	t.deepEqual(reports, [{phase: 'confirming', slots: 0}]);
});

test('a box whose installer is silent reports itself with what it kept of its update, and goes on when it wakes', async (t) => {
	const {reports, clock, state, link} = withState();
	state.kept = {...nothingKept, state: rebooting};
	let isAwake = false;
	let asked = 0;
	await using reporter = createReporter({
		...{...common, state, link},
		installer: {
			slots: () => {
				asked += 1;
				return isAwake
					? Promise.resolve([{name: 'rootfs.0', state: 'booted', status: 'good'}])
					: Promise.reject(new Error('silent'));
			},
		},
		onSlots: () => {
			state.agent = confirming;
			return Promise.resolve();
		},
	});
	const report = async (): Promise<unknown> => {
		const count = reports.length;
		reporter.changed();
		await eventually('it reports', () => reports.length > count);
		return reports.at(-1);
	};
	reporter.start();
	t.deepEqual(await report(), {phase: 'rebooting', slots: 0});
	isAwake = true;
	t.deepEqual(await report(), {phase: 'rebooting', slots: 0});
	t.is(asked, 1, 'what was silent is not waited for with every report');
	clock.nowMs += 60_000;
	t.deepEqual(await report(), {phase: 'confirming', slots: 1});
});
