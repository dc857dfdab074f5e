import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {openAgentStore} from '#ota/agent/agent-store.ts';
import type {UpdateState} from '#ota/agent/update-state.ts';
import {keepBootedSlot} from '#ota/member/keep-booted-slot.ts';
import {sampleOrder} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type RaucDaemon, withRaucDaemon} from '#test/helper/with-rauc-daemon.ts';

/** GRUB has counted this boot: RAUC calls the slot that runs bad until somebody says otherwise. */
const bootOnce = async (t: ExecutionContext): Promise<{rauc: RaucDaemon; updateDirectory: string}> => {
	const rauc = await withRaucDaemon(t);
	await rauc.start('A');
	await writeFile(path.join(rauc.directory, 'boot/state.A'), 'bad\n');
	return {rauc, updateDirectory: await withDirectory(t)};
};

const keep = ({
	rauc,
	updateDirectory,
}: {
	rauc: RaucDaemon;
	updateDirectory: string;
}): ReturnType<typeof keepBootedSlot> =>
	keepBootedSlot({
		...{installer: {kind: 'rauc', busAddress: rauc.busAddress}, updateDirectory, retryDelaysMs: []},
		...{logger: silentLogger(), signal: AbortSignal.timeout(20_000)},
	});

const job = {
	order: sampleOrder({bytes: Buffer.from('a bundle'), release: '2.0.0'}),
	origin: 'fleet',
	...{attempt: 1, steps: 3, restarts: 0, bootId: 'boot-1'},
	bytes: {carousel: 0, local: 0, unicast: 0},
} as const;

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

test('without RAUC there is nobody to tell', async (t) => {
	const updateDirectory = await withDirectory(t);
	const options = {updateDirectory, logger: silentLogger(), signal: AbortSignal.timeout(1000)};
	t.is(await keepBootedSlot({installer: {kind: 'none'}, ...options}), 'not-marked');
});
