import {existsSync} from 'node:fs';
import {readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import {finalUpdatePhases, type UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import type {Agent} from '#ota/agent/agent.ts';
import {startAgent} from '#ota/agent/start-agent.ts';
import {openRaucBus} from '#ota/slot/rauc/rauc-bus.ts';
import {createRaucInstaller} from '#ota/slot/rauc/rauc-installer.ts';
import {eventually} from '#test/helper/eventually.ts';
import {sampleOrder, sampleVerify} from '#test/helper/sample-update.ts';
import {type RaucDaemon, withRaucDaemon} from '#test/helper/with-rauc-daemon.ts';
import {withRoleServe} from '#test/helper/with-role-serve.ts';

type Life = {
	readonly agent: Agent;
	readonly status: () => UpdateStatus;
	/** Calls of the installer, by name. */
	readonly calls: {cancel: number; reboot: number};
};

/** The agent on a box with the real RAUC, from one start of its process to the next. */
const withLife = async (
	t: ExecutionContext,
	{rauc, bytes, bootId}: {readonly rauc: RaucDaemon; readonly bytes: Buffer; readonly bootId: string},
): Promise<Life> => {
	const serve = await withRoleServe(t, bytes);
	const calls = {cancel: 0, reboot: 0};
	const installer = createRaucInstaller({
		busAddress: rauc.busAddress,
		runningRelease: () => releaseVersionSchema.parse('1.0.0'),
		reboot: () => {
			calls.reboot += 1;
		},
		logger: silentLogger(),
	});
	const agent = await startAgent({
		stateDirectory: join(rauc.directory, 'agent'),
		...{kind: 'stb', compatible: 'bench', format: 'rauc', verify: sampleVerify, bootId},
		installer: {
			...installer,
			cancel: async (options) => {
				calls.cancel += 1;
				// The order's own deadline is one for a busy machine, and a test does not wait so long for RAUC.
				const isHeld = existsSync(rauc.holdPath);
				const limit = isHeld ? AbortSignal.any([options.signal, AbortSignal.timeout(300)]) : options.signal;
				await installer.cancel({signal: limit});
			},
		},
		sources: {httpsAgent: () => undefined, roleUrl: () => serve.url},
		checks: [],
		tell: () => undefined,
		timeZone: () => 'UTC',
		limits: {retryInitialMs: 2, retryMaxMs: 5, slotTimeoutMs: 15_000, waitMaxMs: 20, roomReserveBytes: 0},
		logger: silentLogger(),
		signal: AbortSignal.timeout(120_000),
	});
	t.teardown(async () => await agent[Symbol.asyncDispose]());
	return {agent, status: agent.status, calls};
};

const hasEnded = ({status}: Life): boolean => finalUpdatePhases.some((phase) => phase === status().phase);

const isIdle = async (busAddress: string): Promise<boolean> => {
	using bus = await openRaucBus({address: busAddress, signal: AbortSignal.timeout(15_000)});
	return (await bus.properties()).Operation === 'idle';
};

const bundleOf = async (rauc: RaucDaemon, version: string): Promise<Buffer> =>
	await readFile((await rauc.makeBundle({version})).path);

test('an order that is given up while RAUC works on ends only when the slot that RAUC made next was taken back', async (t) => {
	const rauc = await withRaucDaemon(t);
	await rauc.start('A');
	const bytes = await bundleOf(rauc, '2.0.0');
	await writeFile(rauc.holdPath, '');
	const life = await withLife(t, {rauc, bytes, bootId: 'boot-1'});
	life.agent.assign(sampleOrder({bytes, bundle: {format: 'rauc'}}));
	await eventually('RAUC works', async () => !(await isIdle(rauc.busAddress)));
	life.agent.assign(undefined);
	await eventually('it is taken back again', () => life.calls.cancel > 5 || hasEnded(life));
	t.is(life.status().phase, 'installing', 'RAUC is still busy');
	await life.agent[Symbol.asyncDispose]();

	const next = await withLife(t, {rauc, bytes, bootId: 'boot-1'});
	await rm(rauc.holdPath);
	await eventually('the order ends', () => hasEnded(next));
	await eventually('RAUC rests', async () => await isIdle(rauc.busAddress));
	t.like(next.status(), {phase: 'failed', reason: {code: 'OTA_FAILED_ABORTED'}});
	t.like(await rauc.environment(), {primary: 'A', a: 'good', b: 'bad'});
});

test('a box that comes up in its rescue slot tells of the fallback, stays there, and installs what it runs itself', async (t) => {
	const rauc = await withRaucDaemon(t, {factory: true});
	await rauc.start('A');
	const bytes = await bundleOf(rauc, '2.0.0');
	const first = await withLife(t, {rauc, bytes, bootId: 'boot-1'});
	first.agent.assign(sampleOrder({bytes, bundle: {format: 'rauc'}}));
	await eventually('it reboots', () => first.calls.reboot === 1);
	await first.agent[Symbol.asyncDispose]();

	for (const slot of ['A', 'B']) {
		await writeFile(join(rauc.directory, 'boot', `state.${slot}`), 'bad\n');
	}
	await rauc.start('R');
	const factory = await bundleOf(rauc, '1.0.0');
	const rescued = await withLife(t, {rauc, bytes: factory, bootId: 'boot-2'});
	await eventually('it ends', () => hasEnded(rescued));
	t.like(rescued.status(), {phase: 'rolled-back', reason: {code: 'OTA_ROLLED_BACK_BOOTLOADER'}});
	t.deepEqual(rescued.calls, {cancel: 0, reboot: 0});

	const mend = sampleOrder({bytes: factory, release: '1.0.0', orderId: 'r2', bundle: {format: 'rauc'}});
	rescued.agent.assign(mend);
	await eventually('it reboots', () => rescued.calls.reboot === 1);
	t.like(rescued.status(), {phase: 'rebooting', orderId: 'r2'});
});
