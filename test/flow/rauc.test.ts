import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type UpdateOrder, updateOrderSchema} from '#appliance/contract/fleet/order-schema.ts';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import {finalUpdatePhases, type UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {ConfirmCheck} from '#ota/agent/check/run-checks.ts';
import {startAgent} from '#ota/agent/start-agent.ts';
import {createRelease, readReleaseDirectory} from '#ota/release/create-release.ts';
import {signRelease} from '#ota/release/sign-release.ts';
import {verifyRelease} from '#ota/release/verify-release.ts';
import {createRaucInstaller, type RaucInstallerOptions} from '#ota/slot/rauc/rauc-installer.ts';
import {eventually} from '#test/helper/eventually.ts';
import {sha256Of} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type TestFleetServer, withFleetLink} from '#test/helper/with-fleet-link.ts';
import {type RaucDaemon, withRaucDaemon} from '#test/helper/with-rauc-daemon.ts';
import {testReleaseKey} from '#test/helper/with-release.ts';
import {withRoleServe} from '#test/helper/with-role-serve.ts';

const version = '2.0.0';
const role: ConfirmCheck = {name: 'role', weight: 'must', graceMs: 5000, check: () => Promise.resolve()};

type BootOptions = Pick<RaucInstallerOptions, 'bootCause'> & {
	/** It stays on for so long after there is nothing to do. */
	readonly lingerMs?: number;
};

type RaucBox = {
	readonly rauc: RaucDaemon;
	readonly server: TestFleetServer;
	readonly image: Buffer;
	/** What the fleet heard of the update. */
	readonly told: () => readonly UpdateStatus[];
	/** Switched on, with this slot booted; resolves when the box says that it reboots, or has ended. */
	readonly boot: (slot: 'A' | 'B', options?: BootOptions) => Promise<'rebooted' | 'ended'>;
};

/** A box whose slots are RAUC's, with the product's link and agent, whose fleet has a signed order for it at its broker. */
const withRaucBox = async (t: ExecutionContext): Promise<RaucBox> => {
	const [rauc, setup, directory, key] = [
		await withRaucDaemon(t),
		await withFleetLink(t),
		await withDirectory(t),
		await testReleaseKey(),
	];
	const {path, image} = await rauc.makeBundle({version});
	const update = await orderOf(path, join(directory, 'release'));
	const serve = await withRoleServe(t, await readFile(path));
	const server = await setup.startServer();
	await server.desire(await setup.signer.sign({kind: 'desired', update, config: {}}));
	const told = () => server.events.flatMap(({event}) => (event.kind === 'update' ? [event.data] : []));
	let boots = 0;
	return {
		...{rauc, server, image, told},
		boot: async (slot, {lingerMs = 0, ...options} = {}) => {
			boots += 1;
			await rauc.start(slot);
			let rebooted = false;
			const installer = createRaucInstaller({
				...{busAddress: rauc.busAddress, logger: silentLogger(), ...options},
				reboot: () => {
					rebooted = true;
				},
			});
			await using link = await setup.startLink();
			await using agent = await startAgent({
				...{stateDirectory: join(directory, 'agent'), kind: 'stb', compatible: 'bench', format: 'rauc'},
				...{installer, bootId: `boot-${boots}`, timeZone: () => 'UTC', checks: [role]},
				verify: (signed) => verifyRelease({...signed, releaseCaPem: key.caPem}),
				sources: {httpsAgent: () => undefined, roleUrl: () => serve.url},
				tell: (status) => link.tellEvent({kind: 'update', data: status}),
				limits: {retryInitialMs: 10, roomReserveBytes: 0},
				logger: silentLogger(),
				signal: AbortSignal.timeout(60_000),
			});
			link.onDesired((desired) => agent.assign(desired.update));
			await eventually('the box reboots, or its update ends', () => rebooted || isOver(told().at(-1)));
			await eventually('the fleet has heard of it', () => !rebooted || told().at(-1)?.phase === 'rebooting');
			await sleep(lingerMs);
			return rebooted ? 'rebooted' : 'ended';
		},
	};
};

const isOver = (status: UpdateStatus | undefined): boolean =>
	finalUpdatePhases.some((phase) => phase === status?.phase);

const orderOf = async (path: string, directory: string): Promise<UpdateOrder> => {
	const {certificatePem, keyPem} = await testReleaseKey();
	const release = releaseVersionSchema.parse(version);
	const {manifest} = await createRelease({
		...{directory, release, notes: 'Of a test.', signal: AbortSignal.timeout(30_000)},
		bundles: [{path, kind: 'stb', compatible: 'bench', format: 'rauc'}],
	});
	const {manifest: bytes} = await readReleaseDirectory(directory);
	const signature = await signRelease({manifest: bytes, certificatePem, keyPem});
	const [bundle] = manifest.bundles;
	return updateOrderSchema.parse({
		...{orderId: 'abcdefghijkl.1', release, kind: 'stb', attemptsMax: 3, allowDowngrade: false},
		...{manifest: bytes.toString('utf8'), signature: signature.toString('base64')},
		sources: [{kind: 'carousel', objectUri: `http://dvb.gw/op/release/${bundle?.sha256}`, waitMs: 0}],
		byteBudgetBytes: 0,
		deadlines: {fetchMs: 20_000, installMs: 20_000, rebootMs: 20_000, confirmMs: 20_000},
	});
};

test('a signed order of the fleet goes through RAUC and a reboot to confirmed', async (t) => {
	const {rauc, boot, told, image} = await withRaucBox(t);
	t.is(await boot('A'), 'rebooted');
	t.is((await rauc.environment()).primary, 'B');
	t.is(sha256Of((await rauc.slotImage('B')).subarray(0, image.length)), sha256Of(image));
	// As GRUB does for a slot on trial.
	await writeFile(join(rauc.directory, 'boot', 'state.B'), 'bad\n');
	t.is(await boot('B'), 'ended');
	t.deepEqual(
		told().map(({phase}) => phase),
		['accepted', 'fetching', 'verified', 'installing', 'rebooting', 'confirming', 'confirmed'],
	);
	t.is(told().at(-1)?.reason, undefined);
	t.deepEqual(await rauc.environment(), {primary: 'B', a: 'good', b: 'good'});
	// The order is at the broker still, and in the box's memory; it is done.
	t.is(await boot('B', {lingerMs: 300}), 'ended');
	t.is(told().length, 7);
});

test('a box that RAUC’s boot loader takes back tells the fleet so, and why, and does not try again', async (t) => {
	const {rauc, boot, told} = await withRaucBox(t);
	t.is(await boot('A'), 'rebooted');
	// Timestamps of the slot status are in seconds.
	await sleep(1100);
	await writeFile(join(rauc.directory, 'boot', 'state.B'), 'bad\n');
	await writeFile(join(rauc.directory, 'boot', 'primary'), 'A\n');
	const cause = {origin: 'panic', detail: 'Kernel panic - not syncing: no init found'} as const;
	t.is(await boot('A', {bootCause: () => Promise.resolve(cause)}), 'ended');
	const last = told().at(-1);
	t.is(last?.phase, 'rolled-back');
	t.regex(last?.reason?.code ?? '', /^OTA_ROLLED_BACK_/u);
	t.regex(last?.reason?.message ?? '', /no init found/u);
	t.is((await rauc.environment()).primary, 'A');
	t.is(await boot('A', {lingerMs: 300}), 'ended');
	t.is(told().filter(({phase}) => phase === 'accepted').length, 1);
});
