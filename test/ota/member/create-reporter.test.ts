import test from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import type {FleetLink} from '#appliance/mqtt/fleet-link.ts';
import {createReporter} from '#ota/member/create-reporter.ts';
import type {MemberState} from '#ota/member/member-state.ts';
import {eventually} from '#test/helper/eventually.ts';

test('nothing is reported before it is known where an update stands, however often something changes', async (t) => {
	const phases: string[] = [];
	// What a report looks at, and no more.
	const state: Pick<MemberState, 'supervisorStatus' | 'overlay' | 'agent'> = {
		...{bootId: 'boot', bootedMs: 0, release: '2.0.0', hardware: {}, config: {fleet: {}}, slots: [], connected: false},
		supervisorStatus: () => ({healthy: true, reasons: [], services: []}) as never,
		overlay: {status: () => ({revision: 0})} as never,
	};
	const link = {
		report: ({update}: {readonly update: {readonly phase: string}}) => phases.push(update.phase),
		onConnected: () => () => undefined,
	};
	await using reporter = createReporter({
		...{state: state as MemberState, link: link as unknown as FleetLink, installer: undefined},
		...{logger: silentLogger(), signal: AbortSignal.timeout(60_000)},
	});
	reporter.changed();
	await new Promise(setImmediate);
	t.deepEqual(phases, []);
	state.agent = {status: () => ({phase: 'confirming', sinceMs: 0})} as never;
	reporter.start();
	await eventually('it reports', () => phases.length > 0);
	t.deepEqual(phases, ['confirming']);
});
