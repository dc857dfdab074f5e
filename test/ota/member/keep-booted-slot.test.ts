import {rename, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import Database from 'better-sqlite3';
import {silentLogger} from '#appliance/log/logger.ts';
import {openAgentStore} from '#ota/agent/agent-store.ts';
import type {UpdateState} from '#ota/agent/update-state.ts';
import {keepBootedSlot} from '#ota/member/keep-booted-slot.ts';
import {type KeptUpdate, lookAtUpdate, nothingKept} from '#ota/member/kept-update.ts';
import {sampleJob} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type RaucDaemon, withRaucDaemon} from '#test/helper/with-rauc-daemon.ts';

/** GRUB has counted this boot: RAUC calls the slot that runs bad until somebody says otherwise. */
const bootOnce = async (t: ExecutionContext): Promise<{rauc: RaucDaemon; updateDirectory: string}> => {
	const rauc = await withRaucDaemon(t);
	await rauc.start('A');
	await writeFile(path.join(rauc.directory, 'boot/state.A'), 'bad\n');
	return {rauc, updateDirectory: await withDirectory(t)};
};

const look = (updateDirectory: string, stateLost?: string): KeptUpdate =>
	lookAtUpdate({directory: updateDirectory, stateLost, bootId: 'boot-2', logger: silentLogger()});

const keep = (
	{rauc, updateDirectory}: {rauc: RaucDaemon; updateDirectory: string},
	options: {stateLost?: string; bootedSlot?: string} = {},
): ReturnType<typeof keepBootedSlot> =>
	keepBootedSlot({
		...{installer: {kind: 'rauc', busAddress: rauc.busAddress}, retryDelaysMs: []},
		...{kept: look(updateDirectory, options.stateLost), bootedSlot: options.bootedSlot},
		...{logger: silentLogger(), signal: AbortSignal.timeout(20_000)},
	});

const job = sampleJob();

test('an ordinary boot gives its try back, on a box that never had an update as well', async (t) => {
	const box = await bootOnce(t);
	t.is(await keep(box), 'kept');
	t.is((await box.rauc.environment()).a, 'good');
});

test('a slot on trial is its update’s to judge', async (t) => {
	const box = await bootOnce(t);
	const state: UpdateState = {kind: 'confirming', job, sinceMs: 1, fromSlot: 'rootfs.1', boots: 1};
	{
		using store = openAgentStore(path.join(box.updateDirectory, 'agent.db'));
		store.writeState(state, {isNews: true});
	}
	t.is(await keep(box), 'on-trial');
	t.is((await box.rauc.environment()).a, 'bad');
});

for (const kind of ['installing', 'rebooting'] as const) {
	test(`the slot from which an update was installed is kept when it runs again, ${kind}; another one is on trial`, async (t) => {
		const box = await bootOnce(t);
		const write = (fromSlot: string): void => {
			using store = openAgentStore(path.join(box.updateDirectory, 'agent.db'));
			const state: UpdateState =
				kind === 'installing' ? {kind, job, sinceMs: 1, fromSlot} : {kind, job, sinceMs: 1, fromSlot, tries: 1};
			store.writeState(state, {isNews: true});
		};
		write('rootfs.1');
		t.is(await keep(box), 'on-trial');
		write('rootfs.0');
		t.is(await keep(box), 'kept');
		t.is((await box.rauc.environment()).a, 'good');
	});
}

test('an update that only waits for its time takes no try from the slot that runs', async (t) => {
	const box = await bootOnce(t);
	{
		using store = openAgentStore(path.join(box.updateDirectory, 'agent.db'));
		store.writeState({kind: 'verified', job, sinceMs: 1}, {isNews: true});
	}
	t.is(await keep(box), 'kept');
});

test('a slot on trial is known for one also when RAUC is silent', async (t) => {
	const box = await bootOnce(t);
	{
		using store = openAgentStore(path.join(box.updateDirectory, 'agent.db'));
		store.writeState({kind: 'rebooting', job, sinceMs: 1, fromSlot: 'rootfs.1', tries: 1}, {isNews: true});
	}
	await box.rauc.kill();
	t.is(await keep(box, {bootedSlot: 'rootfs.0'}), 'on-trial');
	t.is(await keep(box, {bootedSlot: 'rootfs.1'}), 'not-marked', 'nobody can be told of the old slot');
});

test('a boot whose data partition could not be used is not marked good: it may be the release’s fault', async (t) => {
	const box = await bootOnce(t);
	t.is(await keep(box, {stateLost: 'it cannot be mounted'}), 'unknown');
	t.is((await box.rauc.environment()).a, 'bad');
});

test('a boot that could not read what was kept of updates is not marked good, whatever comes after', async (t) => {
	const box = await bootOnce(t);
	const file = path.join(box.updateDirectory, 'agent.db');
	await writeFile(file, 'no database '.repeat(1000));
	t.is(await keep(box), 'unknown');
	// As the agent does.
	await rename(file, `${file}.broken`);
	openAgentStore(file)[Symbol.dispose]();
	t.is(await keep(box), 'unknown');
	t.is((await box.rauc.environment()).a, 'bad');
});

test('the old slot is kept when a newer release has left its migrations behind', async (t) => {
	const box = await bootOnce(t);
	const file = path.join(box.updateDirectory, 'agent.db');
	{
		using store = openAgentStore(file);
		store.writeState({kind: 'confirming', job, sinceMs: 1, fromSlot: 'rootfs.0', boots: 3}, {isNews: true});
	}
	const newer = new Database(file);
	newer.pragma('user_version = 2');
	newer.close();
	t.is(await keep(box), 'kept');
});

test('without RAUC there is nobody to tell', async (t) => {
	const options = {kept: nothingKept, logger: silentLogger(), signal: AbortSignal.timeout(1000)};
	t.is(await keepBootedSlot({installer: {kind: 'none'}, ...options}), 'not-marked');
});
