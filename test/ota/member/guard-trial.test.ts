import {writeFileSync} from 'node:fs';
import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {stringify} from 'yaml';
import {z} from 'zod';
import {parseBoxConfig} from '#appliance/config/parse-box-config.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {openAgentStore} from '#ota/agent/agent-store.ts';
import type {UpdateState} from '#ota/agent/update-state.ts';
import {guardTrial} from '#ota/member/guard-trial.ts';
import {lookAtUpdate} from '#ota/member/kept-update.ts';
import {startMember} from '#ota/member/start-member.ts';
import {sampleJob} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const confirmMs = 1000;
const job = sampleJob({deadlines: {fetchMs: 1000, installMs: 1000, rebootMs: 1000, confirmMs}});
const onTrial: UpdateState = {kind: 'rebooting', job, sinceMs: 1, fromSlot: 'rootfs.0', tries: 1};

const write = (directory: string, state: UpdateState): void => {
	using store = openAgentStore(path.join(directory, 'agent.db'));
	store.writeState(state, {isNews: true});
};

/** On slot B; what becomes of the box is told when the switch has run out. */
const guard = (t: ExecutionContext, directory: string, stateLost?: string) => {
	const stop = new AbortController();
	t.teardown(() => stop.abort());
	const notes: string[] = [];
	const outcome = Promise.withResolvers<'rebooted' | 'left'>();
	const guarded = guardTrial({
		kept: lookAtUpdate({directory, stateLost, bootId: 'boot-2', logger: silentLogger()}),
		...{directory, stateLost, logger: silentLogger(), signal: stop.signal},
		// Of an order that cannot be read the half hour is waited for.
		marginMs: stateLost === undefined ? 0 : -30 * 60_000,
		booted: () => 'rootfs.1',
		boot: {
			willReboot: (cause, detail) => {
				notes.push(`${cause}: ${detail}`);
				return Promise.resolve();
			},
		},
		reboot: () => {
			outcome.resolve('rebooted');
			return Promise.resolve();
		},
	});
	guarded.then(
		() => outcome.resolve('left'),
		() => undefined,
	);
	return {ended: outcome.promise, notes};
};

const reverting: UpdateState = {
	...onTrial,
	kind: 'reverting',
	reason: {code: 'OTA_ROLLED_BACK_CHECKS', message: 'black'},
};

for (const state of [onTrial, reverting]) {
	test(`a trial that no agent has ended is ended by a reboot, and the next boot knows why: ${state.kind}`, async (t) => {
		const directory = await withDirectory(t);
		write(directory, state);
		const {ended, notes} = guard(t, directory);
		t.is(await ended, 'rebooted');
		t.deepEqual(notes, ['update: nobody has judged the release that was on trial: order r1 is open']);
	});
}

test('a trial whose file cannot be read any more is ended by a reboot', async (t) => {
	const directory = await withDirectory(t);
	write(directory, onTrial);
	const {ended} = guard(t, directory);
	writeFileSync(path.join(directory, 'agent.db'), 'no database '.repeat(1000));
	t.is(await ended, 'rebooted');
});

test('a box without its data partition is rebooted', async (t) => {
	t.is(await guard(t, await withDirectory(t), 'the disk is dead').ended, 'rebooted');
});

test('a slot whose update was confirmed, or that is the old one for the next update, is left alone', async (t) => {
	const {order, origin, attempt, bytes} = job;
	const ended = {orderId: order.orderId, origin, release: order.release, attempt, bytes, sinceMs: 2};
	for (const state of [
		{kind: 'confirmed', ...ended},
		{kind: 'installing', job: sampleJob({orderId: 'r2'}), sinceMs: 2, fromSlot: 'rootfs.1'},
	] as const satisfies readonly UpdateState[]) {
		const directory = await withDirectory(t);
		write(directory, onTrial);
		const guarded = guard(t, directory);
		write(directory, state);
		t.is(await guarded.ended, 'left', state.kind);
	}
});

test('a box whose membership never opens falls back, whatever keeps it closed, while RAUC is dead as well', async (t) => {
	const directory = await withDirectory(t);
	const updateDirectory = path.join(directory, 'state', 'fleet', 'update');
	await mkdir(updateDirectory, {recursive: true});
	write(updateDirectory, onTrial);
	await writeFile(path.join(directory, 'boot-slot'), 'B\n');
	const filePath = path.join(directory, 'box.yaml');
	const text = stringify({
		version: 1,
		box: {id: 'box-1', kind: 'stb', stateDirectory: path.join(directory, 'state')},
		fleet: {installer: {kind: 'rauc', busAddress: `unix:path=${directory}/no-bus`}},
		stb: {},
	});
	const sectionSchemaOf = () => z.strictObject({});
	const rebooted = Promise.withResolvers<void>();
	const start = async (slot: string, reboot: () => void) => {
		await writeFile(path.join(directory, 'boot-slot'), `${slot}\n`);
		const member = await startMember({
			...{config: parseBoxConfig({text, filePath, sectionSchemaOf}), boxFilePath: filePath, sectionSchemaOf},
			...{release: '2.0.0', logger: silentLogger(), ring: undefined, stop: () => undefined},
			...{signal: AbortSignal.timeout(120_000), runDirectory: directory, trialMarginMs: 0, retryMs: 50},
			rebootMachine: () => Promise.resolve(reboot()),
		});
		member.attach({status: () => ({services: []})} as never);
		return member;
	};
	for (const slot of ['A', 'R']) {
		await using _member = await start(slot, () => t.fail(`${slot} has nothing to fall back to`));
		await sleep(confirmMs + 500);
	}
	await using member = await start('B', rebooted.resolve);
	await t.notThrowsAsync(rebooted.promise);
	t.like(member.fleetStatus(), {enrolled: false, update: {phase: 'rebooting'}});
});
