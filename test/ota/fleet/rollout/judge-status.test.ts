import test from 'ava';
import type {UpdatePhase, UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import {type BoxProgress, judgeStatus} from '#ota/fleet/rollout/judge-status.ts';
import {newRelease, rolloutId, specOf} from '#test/ota/fleet/rollout/simulated-rollout.ts';

const spec = specOf({retry: {attemptsMax: 2, initialMs: 1000, maxMs: 1000}});
const ordered: BoxProgress = {state: 'ordered', phase: null, attempt: 1, reason: null, sinceMs: 0, nextMs: 5};
const status = (phase: UpdatePhase, more: Partial<UpdateStatus> = {}): UpdateStatus => ({
	phase,
	orderId: `${rolloutId}.1`,
	release: newRelease,
	sinceMs: 10,
	...more,
});
const judge = (row: BoxProgress, said: UpdateStatus, running?: string): BoxProgress | undefined =>
	judgeStatus(
		row,
		{status: said, running},
		{rollout: rolloutId, spec, windows: null, timeZone: 'UTC', nowMs: 1000, random: () => 1},
	);

test('a box is done when it has confirmed, and not while it runs the release on trial', (t) => {
	t.is(judge(ordered, status('confirming'), newRelease)?.state, 'ordered');
	t.is(judge(ordered, status('rebooting'), newRelease)?.state, 'ordered');
	t.is(judge(ordered, status('confirmed'))?.state, 'done');
});

test('a box that runs the release is done, whoever brought it', (t) => {
	const byUsb: UpdateStatus = {phase: 'idle', sinceMs: 3};
	for (const state of ['waiting', 'ordered', 'retrying', 'failed', 'withdrawn', 'skipped'] as const) {
		t.is(judge({...ordered, state}, byUsb, newRelease)?.state, 'done', state);
	}
	t.is(judge({...ordered, state: 'waiting', attempt: 0}, byUsb, '1.0.0'), undefined);
	t.is(judge({...ordered, state: 'done'}, byUsb, newRelease), undefined);
});

test('a box that failed is ordered again later, one that refused or rolled back is not', (t) => {
	t.like(judge(ordered, status('failed')), {state: 'retrying', nextMs: 2000});
	t.like(judge({...ordered, attempt: 2}, status('failed', {orderId: `${rolloutId}.2`})), {state: 'failed'});
	t.like(judge(ordered, status('refused')), {state: 'failed', phase: 'refused'});
	const reason = {code: 'OTA_CHECK', message: 'The picture stayed dark.'};
	t.like(judge(ordered, status('rolled-back', {reason})), {state: 'failed', reason});
});

test('a box that was done and then fell back has failed', (t) => {
	t.is(judge({...ordered, state: 'done', sinceMs: 9}, status('rolled-back'))?.state, 'failed');
	t.is(judge({...ordered, state: 'done', sinceMs: 9}, status('failed'))?.state, 'failed');
});

test('a box that confirmed and then fell back has failed, until it runs the release again', (t) => {
	const reason = {
		code: 'OTA_ROLLOUT_FELL_BACK',
		message: `The box had confirmed ${newRelease} and runs 1.0.0 now.`,
	};
	const before: readonly BoxProgress[] = [
		{...ordered, state: 'done', phase: 'confirmed', sinceMs: 10},
		{...ordered, state: 'done', phase: 'confirmed', sinceMs: 1_000_000},
		{...ordered, state: 'failed', phase: 'confirming'},
		ordered,
	];
	for (const row of before) {
		t.like(judge(row, status('confirmed'), '1.0.0'), {state: 'failed', phase: 'rolled-back', reason, nextMs: null});
	}
	const back = judge({...ordered, state: 'done', sinceMs: 10}, status('confirmed'), '1.0.0') ?? ordered;
	t.is(judge(back, status('confirmed'), '1.0.0'), undefined, 'told twice is not failed twice');
	t.is(judge(back, status('confirmed')), undefined, 'a spooled event of the confirmation comes late');
	t.is(judge({...back, state: 'retrying'}, status('confirmed'), '1.0.0'), undefined, 'it is to be ordered again');
	t.is(judge({...back, state: 'ordered', attempt: 2}, status('confirmed'), '1.0.0'), undefined, 'and has been');
	t.like(judge(back, status('confirmed'), newRelease), {state: 'done', reason: null});
});

test('a box that was done and now has the order of another rollout is not judged by it', (t) => {
	const done: BoxProgress = {...ordered, state: 'done', phase: 'confirmed', sinceMs: 10};
	const other = status('confirmed', {orderId: 'zzzzzzzzzzzz.1', sinceMs: 20});
	t.is(judge(done, other, '3.0.0'), undefined);
	t.is(judge(done, {phase: 'idle', sinceMs: 20}, '1.0.0'), undefined, 'a box that was flashed anew');
});

test('a box that was given up tells its reason, or that it was given up in error', (t) => {
	const failed: BoxProgress = {...ordered, state: 'failed', phase: 'rebooting'};
	t.like(judge(failed, status('rolled-back')), {state: 'failed', phase: 'rolled-back'});
	t.is(judge(failed, status('confirmed'))?.state, 'done');
	t.is(judge(failed, status('fetching')), undefined);
});

test('what is late, of another order or of a former attempt changes nothing', (t) => {
	t.is(judge({...ordered, sinceMs: 11}, status('fetching')), undefined);
	t.is(judge({...ordered, attempt: 2}, status('failed')), undefined);
	t.is(judge(ordered, status('failed', {orderId: `${rolloutId}.2`})), undefined, 'an attempt that was never given');
	t.is(judge(ordered, status('confirmed', {orderId: 'zzzzzzzzzzzz.1'})), undefined);
	t.is(judge({...ordered, state: 'retrying'}, status('failed')), undefined, 'told twice is not failed twice');
	t.is(judge({...ordered, phase: 'fetching'}, status('fetching')), undefined, 'a phase begins once');
});

test('a box that took its order from the carousel first is taken up where it is', (t) => {
	const waiting: BoxProgress = {...ordered, state: 'waiting', attempt: 0};
	t.like(judge(waiting, status('fetching')), {state: 'ordered', attempt: 1, phase: 'fetching'});
	t.like(judge(waiting, status('confirmed')), {state: 'done', attempt: 1});
});

test('the end of an attempt is believed though the clock was years ahead while it was on trial', (t) => {
	const onTrial: BoxProgress = {...ordered, phase: 'confirming', sinceMs: 1_000_000};
	const reason = {code: 'OTA_ROLLED_BACK_CHECKS', message: 'clock: the clock says 2036'};
	t.like(judge(onTrial, status('rolled-back', {reason})), {state: 'failed', phase: 'rolled-back', reason, sinceMs: 10});
	t.is(judge(onTrial, status('confirmed'))?.state, 'done');
	t.is(judge(onTrial, status('fetching')), undefined, 'what came before the end is still late');
	const over: BoxProgress = {...ordered, state: 'failed', phase: 'rolled-back', sinceMs: 1_000_000};
	t.is(judge(over, status('failed')), undefined, 'and so is another end');
});
