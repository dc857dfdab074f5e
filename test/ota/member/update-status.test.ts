import test from 'ava';
import {updateStatusSchema} from '#appliance/contract/fleet/update-schema.ts';
import type {UpdateState} from '#ota/agent/update-state.ts';
import {trialPhases} from '#ota/fleet/rollout/judge-status.ts';
import {nothingKept} from '#ota/member/kept-update.ts';
import {updateStatusOf} from '#ota/member/update-status.ts';
import {sampleJob} from '#test/helper/sample-update.ts';

const confirming: UpdateState = {kind: 'confirming', job: sampleJob(), fromSlot: 'rootfs.0', boots: 1, sinceMs: 7};
const trial = {fromSlot: 'rootfs.0', job: sampleJob()};
const common = {bootedMs: 5, slots: [{name: 'rootfs.1', state: 'booted', status: 'unknown'} as const]};
const agent = (phase: string) => ({status: () => ({phase, sinceMs: 9})}) as never;

test('without an agent the last one’s word is told; it is idle where there never was one', (t) => {
	t.deepEqual(updateStatusOf({...common, kept: nothingKept}), {phase: 'idle', sinceMs: 5});
	t.like(updateStatusOf({...common, kept: {...nothingKept, state: confirming}}), {phase: 'confirming', orderId: 'r1'});
	t.like(updateStatusOf({...common, kept: {...nothingKept, state: confirming}, agent: agent('idle')}), {sinceMs: 9});
});

test('where a trial may be unknown, nothing that the fleet takes for its end is told', (t) => {
	for (const kept of [
		{...nothingKept, lost: 'the disk is dead'},
		{...nothingKept, trial},
	]) {
		for (const known of [{}, {agent: agent('idle')}, {agent: agent('refused')}]) {
			const status = updateStatusSchema.parse(updateStatusOf({...common, kept, ...known}));
			t.true(trialPhases.includes(status.phase), status.phase);
			t.is(status.reason?.code, 'OTA_MEMBER_TRIAL_UNKNOWN');
			t.is(status.orderId, undefined);
		}
		t.is(updateStatusOf({...common, kept, agent: agent('fetching')}).phase, 'fetching');
	}
});

test('who fell back from a release that writes what he does not understand is on no trial', (t) => {
	const slots = [{name: 'rootfs.0', state: 'booted', status: 'good'} as const];
	t.is(updateStatusOf({...common, slots, kept: {...nothingKept, trial}}).phase, 'idle');
});
