import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import Database from 'better-sqlite3';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import {openAgentStore} from '#ota/agent/agent-store.ts';
import type {UpdateState} from '#ota/agent/update-state.ts';
import {sampleJob} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const state: UpdateState = {kind: 'confirming', job: sampleJob(), sinceMs: 1, fromSlot: 'rootfs.0', boots: 1};

/** A state that was written, and what a newer release made of its file. */
const withNewer = async (t: ExecutionContext, sql: string): Promise<string> => {
	const file = path.join(await withDirectory(t), 'agent.db');
	{
		using store = openAgentStore(file);
		store.writeState(state, {isNews: true});
	}
	const database = new Database(file);
	database.exec(sql);
	database.pragma('user_version = 2');
	database.close();
	return file;
};

test('a release to which the box fell back reads what a newer one left, and tells how it ended', async (t) => {
	const file = await withNewer(t, 'create table of_a_newer_release (id integer)');
	using store = openAgentStore(file);
	t.deepEqual(store.readState(), state);
	const {order, origin, attempt, bytes} = state.job;
	const reason = {code: 'OTA_ROLLED_BACK_UNKNOWN', message: 'it fell back'};
	const ended = {orderId: order.orderId, origin, release: order.release, attempt, bytes, sinceMs: 2};
	store.writeState({kind: 'rolled-back', ...ended, reason}, {isNews: true});
	t.false(store.isTold());
	t.true(store.isFinished(order.orderId));
	t.is(store.readTrial(), undefined);
});

test('a trial is known for one also where its state is not understood', async (t) => {
	const file = await withNewer(t, `update entry set value = json_set(value, '$.added', 1) where name = 'state'`);
	using store = openAgentStore(file);
	t.is(store.readState(), undefined);
	t.like(store.readTrial(), {fromSlot: 'rootfs.0', job: {order: {orderId: 'r1'}}});
});

test('the highest release that was confirmed stays the highest, until an order that means it goes below', async (t) => {
	using store = openAgentStore(path.join(await withDirectory(t), 'agent.db'));
	const tryRelease = (
		release: string,
		{kind = 'confirmed', allowDowngrade = false}: {kind?: 'confirmed' | 'rolled-back'; allowDowngrade?: boolean} = {},
	) => {
		const version = releaseVersionSchema.parse(release);
		const job = sampleJob({release: version, orderId: `to-${release}`, allowDowngrade});
		store.writeState({kind: 'committing', job, sinceMs: 1, fromSlot: 'rootfs.0', tries: 1}, {isNews: true});
		const {order, origin, attempt, bytes} = job;
		const ended = {orderId: order.orderId, origin, release: version, attempt, bytes, sinceMs: 2};
		const reason = {code: 'OTA_ROLLED_BACK_CHECKS', message: 'black'};
		store.writeState(kind === 'confirmed' ? {kind, ...ended} : {kind, ...ended, reason}, {isNews: true});
		return store.readHighest();
	};
	t.is(store.readHighest(), undefined);
	t.is(tryRelease('2.0.0', {kind: 'rolled-back'}), undefined);
	t.is(tryRelease('2.0.0'), '2.0.0');
	t.is(tryRelease('10.0.0'), '10.0.0');
	t.is(tryRelease('9.0.0'), '10.0.0', 'after a fallback, for example');
	t.is(tryRelease('8.0.0', {kind: 'rolled-back', allowDowngrade: true}), '10.0.0');
	t.is(tryRelease('8.0.0', {allowDowngrade: true}), '8.0.0');
	t.is(tryRelease('8.1.0'), '8.1.0');
});
