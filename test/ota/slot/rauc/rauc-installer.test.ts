import {readFile, rm, writeFile} from 'node:fs/promises';
import test, {type ExecutionContext} from 'ava';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {openRaucBus} from '#ota/slot/rauc/rauc-bus.ts';
import {createRaucInstaller, type RaucInstallerOptions} from '#ota/slot/rauc/rauc-installer.ts';
import type {SlotInstaller, VerifiedBundle} from '#ota/slot/slot-installer.ts';
import {eventually} from '#test/helper/eventually.ts';
import {sampleOrder, sampleVerify, sha256Of} from '#test/helper/sample-update.ts';
import {type RaucDaemon, withRaucDaemon} from '#test/helper/with-rauc-daemon.ts';

const progress = (): void => undefined;
const soon = (): {signal: AbortSignal} => ({signal: AbortSignal.timeout(15_000)});

const withInstaller = (
	t: ExecutionContext,
	{busAddress}: RaucDaemon,
	options: Partial<RaucInstallerOptions> = {},
): SlotInstaller => {
	const installer = createRaucInstaller({busAddress, reboot: () => undefined, logger: silentLogger(), ...options});
	t.teardown(async () => await installer[Symbol.asyncDispose]());
	return installer;
};

const verifiedOf = async (path: string, version: string): Promise<VerifiedBundle> => {
	const bytes = await readFile(path);
	const {manifest, signature} = sampleOrder({bytes, release: version, bundle: {format: 'rauc'}});
	const [bundle] = sampleVerify({manifest, signature}).bundles;
	return {
		path,
		release: releaseVersionSchema.parse(version),
		bundle: bundle as VerifiedBundle['bundle'],
		manifest,
		signature,
	};
};

test('RAUC writes the other slot, which is next, on trial, and is good only once it is marked so', async (t) => {
	const rauc = await withRaucDaemon(t);
	await rauc.start('A');
	const installer = withInstaller(t, rauc);
	t.deepEqual(await installer.bootVerdict(soon()), {bootedSlot: 'rootfs.0', release: undefined, fallback: undefined});
	const {path, image} = await rauc.makeBundle({version: '2.0.0'});
	const fractions: number[] = [];
	await installer.install(await verifiedOf(path, '2.0.0'), {
		...soon(),
		progress: (fraction) => fractions.push(fraction),
	});
	t.is(fractions.at(-1), 1);
	t.true(fractions.slice(0, -1).every((fraction) => fraction < 1));
	t.is(sha256Of((await rauc.slotImage('B')).subarray(0, image.length)), sha256Of(image));
	t.is((await rauc.environment()).primary, 'B');

	await rauc.start('B');
	await writeFile(`${rauc.directory}/boot/state.B`, 'bad\n');
	const booted = (await installer.slots(soon())).find(({state}) => state === 'booted');
	t.like(booted, {name: 'rootfs.1', status: 'unknown', release: '2.0.0'}, 'GRUB reports a slot on trial as bad');
	t.like(await installer.bootVerdict(soon()), {bootedSlot: 'rootfs.1', release: '2.0.0', fallback: undefined});
	await installer.markGood(soon());
	t.is((await rauc.environment()).b, 'good');
});

test('a slot that is marked bad leaves the old one to be booted, and the verdict tells of the fallback', async (t) => {
	const rauc = await withRaucDaemon(t);
	await rauc.start('A');
	const cause = {origin: 'panic', detail: 'Kernel panic - not syncing'} as const;
	const installer = withInstaller(t, rauc);
	const {path} = await rauc.makeBundle({version: '2.0.0'});
	await installer.install(await verifiedOf(path, '2.0.0'), {...soon(), progress});
	await rauc.start('B');
	// Timestamps of the slot status are in seconds.
	await sleep(1100);
	await writeFile(`${rauc.directory}/boot/state.B`, 'bad\n');
	await writeFile(`${rauc.directory}/boot/primary`, 'A\n');
	await rauc.start('A');
	t.like(await installer.bootVerdict(soon()), {bootedSlot: 'rootfs.0', fallback: {origin: 'bootloader'}});
	const knowing = withInstaller(t, rauc, {bootCause: async () => await Promise.resolve(cause)});
	t.deepEqual((await knowing.bootVerdict(soon())).fallback, {
		origin: 'panic',
		detail: `rootfs.1 (2.0.0) was not confirmed, and the boot loader went back. ${cause.detail}`,
	});
	// The next installation wipes the past out.
	await installer.install(await verifiedOf(path, '2.0.0'), {...soon(), progress});
	t.is((await installer.bootVerdict(soon())).fallback, undefined);
	await rauc.start('B');
	await installer.markBad(soon());
	t.deepEqual(await rauc.environment(), {primary: 'A', a: 'good', b: 'bad'});
});

test('the slot that runs is the way back from what it installs, although GRUB has counted its start', async (t) => {
	const rauc = await withRaucDaemon(t);
	await rauc.start('A');
	await writeFile(`${rauc.directory}/boot/state.A`, 'bad\n');
	const installer = withInstaller(t, rauc);
	const {path} = await rauc.makeBundle({version: '2.0.0'});
	await installer.install(await verifiedOf(path, '2.0.0'), {...soon(), progress});
	t.like(await rauc.environment(), {primary: 'B', a: 'good'});
	await rauc.start('B');
	await writeFile(`${rauc.directory}/boot/state.B`, 'bad\n');
	await installer.markBad(soon());
	t.is((await rauc.environment()).primary, 'A');
});

test('the factory’s slot is told from those that updates are written to, with a fallback and without one', async (t) => {
	const rauc = await withRaucDaemon(t, {factory: true});
	await rauc.start('A');
	const installer = withInstaller(t, rauc);
	const {path} = await rauc.makeBundle({version: '2.0.0'});
	await installer.install(await verifiedOf(path, '2.0.0'), {...soon(), progress});
	await rauc.start('B');
	t.is((await installer.bootVerdict(soon())).isFactory, undefined);
	await rauc.start('R');
	t.like(await installer.bootVerdict(soon()), {bootedSlot: 'factory.0', isFactory: true, fallback: undefined});
	for (const slot of ['A', 'B']) {
		await writeFile(`${rauc.directory}/boot/state.${slot}`, 'bad\n');
	}
	const verdict = await installer.bootVerdict(soon());
	t.like(verdict, {bootedSlot: 'factory.0', isFactory: true, fallback: {origin: 'bootloader'}});
	await installer.cancel(soon());
	t.like(await rauc.environment(), {primary: 'R', b: 'bad'});
});

test('with no good slot to go back to nothing is marked bad', async (t) => {
	const rauc = await withRaucDaemon(t);
	await rauc.start('A');
	await writeFile(`${rauc.directory}/boot/state.B`, 'bad\n');
	const installer = withInstaller(t, rauc);
	await t.throwsAsync(installer.markBad(soon()), {code: 'OTA_SLOT_NO_FALLBACK'});
	t.is((await rauc.environment()).a, 'good');
});

test('progress of 100 is no success: a bundle that is refused fails with the reason of RAUC', async (t) => {
	const rauc = await withRaucDaemon(t);
	await rauc.start('A');
	const installer = withInstaller(t, rauc);
	const foreign = await rauc.makeBundle({version: '2.0.0', signer: 'foreign'});
	const other = await rauc.makeBundle({version: '2.0.1', compatible: 'another-box'});
	const cut = await rauc.makeBundle({version: '2.0.3'});
	await writeFile(cut.path, (await readFile(cut.path)).subarray(0, 9000));
	const cases = [
		[foreign.path, '2.0.0', /signature|verif/iu, 'OTA_SLOT_BUNDLE_SIGNATURE'],
		[other.path, '2.0.1', /compatible/iu, 'OTA_SLOT_BUNDLE_COMPATIBLE'],
		[cut.path, '2.0.3', /signature|bundle/iu, 'OTA_SLOT_BUNDLE_DAMAGED'],
		[`${rauc.directory}/nothing.raucb`, '2.0.4', /no such file/iu, 'OTA_SLOT_BUNDLE_DAMAGED'],
	] as const;
	for (const [path, version, message, code] of cases) {
		const verified = await verifiedOf(path === cases[3][0] ? cut.path : path, version);
		const error = await t.throwsAsync(installer.install({...verified, path}, {...soon(), progress}), {code}, version);
		t.regex(error?.message ?? '', message);
		t.false((error as Error & {retryable: boolean}).retryable, `${version}: ${error?.message}`);
		t.is((await rauc.environment()).primary, 'A');
		t.is((await rauc.environment()).a, 'good');
	}
});

test('the product takes no plain bundle, whose signature does not cover each block', async (t) => {
	const rauc = await withRaucDaemon(t, {allowPlain: false});
	await rauc.start('A');
	const {path} = await rauc.makeBundle({version: '2.0.0'});
	const error = await t.throwsAsync(
		withInstaller(t, rauc).install(await verifiedOf(path, '2.0.0'), {...soon(), progress}),
		{code: 'OTA_SLOT_BUNDLE_INVALID'},
	);
	t.regex(error?.message ?? '', /plain/iu);
});

test('a daemon that dies while it installs is a failure, and cancelling with the next one keeps the old slot', async (t) => {
	const rauc = await withRaucDaemon(t);
	await rauc.start('A');
	const installer = withInstaller(t, rauc);
	const {path} = await rauc.makeBundle({version: '2.0.0'});
	await writeFile(rauc.holdPath, '');
	const installing = installer.install(await verifiedOf(path, '2.0.0'), {...soon(), progress});
	installing.catch(() => undefined);
	await eventually('the installation', async () => await isInstalling(rauc.busAddress));
	await rauc.kill();
	await t.throwsAsync(installing, {code: 'OTA_SLOT_DAEMON_LOST'});
	await t.throwsAsync(installer.bootVerdict(soon()), {code: 'OTA_SLOT_UNREADABLE'});
	await rm(rauc.holdPath);
	await rauc.start('A');
	await installer.cancel(soon());
	t.like(await rauc.environment(), {primary: 'A', a: 'good', b: 'bad'});
	await installer.install(await verifiedOf(path, '2.0.0'), {...soon(), progress});
	t.is((await rauc.environment()).primary, 'B');
});

test('a second installation is refused while one is under way, and cancelling waits for its end', async (t) => {
	const rauc = await withRaucDaemon(t);
	await rauc.start('A');
	const installer = withInstaller(t, rauc);
	const {path} = await rauc.makeBundle({version: '2.0.0'});
	await writeFile(rauc.holdPath, '');
	const stop = new AbortController();
	const installing = installer.install(await verifiedOf(path, '2.0.0'), {signal: stop.signal, progress});
	installing.catch(() => undefined);
	await eventually('the installation', async () => await isInstalling(rauc.busAddress));
	const second = installer.install(await verifiedOf(path, '2.0.0'), {...soon(), progress});
	await t.throwsAsync(second, {code: 'OTA_SLOT_BUSY'});
	stop.abort(new Error('taken back'));
	await t.throwsAsync(installing, {message: 'taken back'});
	const cancelling = installer.cancel(soon());
	await rm(rauc.holdPath);
	await cancelling;
	t.like(await rauc.environment(), {primary: 'A', a: 'good', b: 'bad'});
});

test('without a bus the installer says so', async (t) => {
	const installer = createRaucInstaller({
		busAddress: 'unix:path=/nonexistent/bus',
		reboot: () => undefined,
		logger: silentLogger(),
	});
	await t.throwsAsync(installer.bootVerdict(soon()), {code: 'OTA_SLOT_DAEMON_LOST'});
});

const isInstalling = async (busAddress: string): Promise<boolean> => {
	using bus = await openRaucBus({...soon(), address: busAddress});
	return (await bus.properties()).Operation === 'installing';
};
