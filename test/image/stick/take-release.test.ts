import {mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {type BroughtEnd, nextOrderId} from '#ota/member/brought-ends.ts';
import {openBroughtRelease} from '#ota/member/brought-release.ts';
import {createReleaseKey} from '#ota/release/release-key.ts';
import {eventually} from '#test/helper/eventually.ts';
import {sampleClaim} from '#test/helper/sample-claim.ts';
import type {withRelease} from '#test/helper/with-release.ts';
import {bringRelease, broughtName, type StickBox, withStickBox} from '#test/helper/with-stick-box.ts';

test('a release is carried in with its signature, for whoever owns the state, and told of', async (t) => {
	const box = await withStickBox(t);
	const {sha256, bundle, manifestBytes, signature} = await bringRelease(t, box);
	await box.take();
	t.deepEqual(await box.names(), [`${sha256}.bundle`, 'manifest.json', 'reports.json', 'signature.txt'].toSorted());
	t.deepEqual(await readFile(path.join(box.stick, `${sha256}.bundle`)), bundle);
	t.deepEqual(await readFile(path.join(box.stick, 'manifest.json')), manifestBytes);
	t.is(await readFile(path.join(box.stick, 'signature.txt'), 'utf8'), signature.toString('base64'));
	t.like(await box.report(), {seed: 'none', release: 'taken', reasons: []});
	t.is((await stat(box.stick)).mode & 0o777, 0o700);
});

test('a stick that stays where it is is taken from once, and another release replaces the first', async (t) => {
	const box = await withStickBox(t);
	await bringRelease(t, box);
	await box.take();
	await rm(path.join(box.stick, 'reports.json'));
	await box.take();
	t.false((await box.names()).includes('reports.json'));
	const {sha256} = await bringRelease(t, box, {version: '3.0.0', sizeBytes: 100_000});
	await box.take();
	t.deepEqual(
		(await box.names()).filter((name) => name.endsWith('.bundle')),
		[`${sha256}.bundle`],
	);
});

const refused = test.macro({
	exec: async (
		t,
		damage: (box: StickBox) => Promise<unknown>,
		code: string,
		options?: Parameters<typeof withRelease>[1],
	) => {
		const box = await withStickBox(t);
		await bringRelease(t, box, options);
		await damage(box);
		await box.take();
		t.like(await box.report(), {release: 'refused', reasons: [{code}]});
		t.deepEqual(await box.names(), ['reports.json'], 'nothing of it was carried in');
	},
	title: (name) => `refused with a code, and nothing is copied: ${name}`,
});
const inFolder =
	(name: string, work: (file: string) => Promise<unknown>) =>
	async ({folder}: StickBox) =>
		await work(path.join(folder, name));

/** As a stick does that was pulled too early: the length is right. */
const spoil = async (file: string): Promise<void> => {
	await writeFile(file, (await readFile(file)).fill(0, 600, 700));
};

test('no signature', refused, inFolder('manifest.cms', rm), 'STICK_RELEASE_INCOMPLETE');
test('no manifest', refused, inFolder('manifest.json', rm), 'STICK_RELEASE_INCOMPLETE');
test('no bundle', refused, inFolder(broughtName, rm), 'STICK_RELEASE_INCOMPLETE');
test(
	'a bundle that is cut off',
	refused,
	inFolder(broughtName, (file) => truncate(file, 1000)),
	'STICK_RELEASE_INCOMPLETE',
);
test(
	'a bundle as long as the right one, of which a byte is another',
	refused,
	inFolder(broughtName, spoil),
	'STICK_RELEASE_INCOMPLETE',
);
test(
	'a manifest that somebody changed',
	refused,
	inFolder('manifest.json', async (file) =>
		writeFile(file, (await readFile(file, 'utf8')).replace('A release of a test.', 'A release of a tesT.')),
	),
	'OTA_RELEASE_SIGNATURE_INVALID',
);
test(
	'a manifest that is too long',
	refused,
	inFolder('manifest.json', (file) => truncate(file, 1_000_000)),
	'STICK_UNREADABLE',
);
test(
	'a signature that is none',
	refused,
	inFolder('manifest.cms', (file) => writeFile(file, 'x')),
	'OTA_RELEASE_SIGNATURE_INVALID',
);
test('a release for another kind of box', refused, () => Promise.resolve(), 'STICK_RELEASE_OTHER', {kind: 'headend'});
test(
	'a release for another hardware',
	refused,
	(box) => Promise.resolve(Object.assign(box.options, {compatible: 'another'})),
	'STICK_RELEASE_OTHER',
);
test(
	'a release of another operator',
	refused,
	async ({options}) => {
		const {caPem} = await createReleaseKey({name: 'Another'});
		const claim = {...sampleClaim, releaseCaPem: caPem};
		await writeFile(path.join(options.stateDirectory, 'fleet/claim.json'), JSON.stringify(claim));
	},
	'OTA_RELEASE_SIGNER_UNTRUSTED',
);
test(
	'a box that nobody has claimed',
	refused,
	async ({options}) => await rm(path.join(options.stateDirectory, 'fleet/claim.json')),
	'STICK_BOX_UNCLAIMED',
);

test('a damaged bundle is told of by its name, and the same release is taken once its bundle was copied again', async (t) => {
	const box = await withStickBox(t);
	const {sha256, bundle} = await bringRelease(t, box);
	await spoil(path.join(box.folder, broughtName));
	await box.take();
	const [reason] = (await box.report())?.reasons ?? [];
	t.true(reason?.message.includes(`${broughtName} has other bytes than the release key signed.`), reason?.message);
	await writeFile(path.join(box.folder, broughtName), bundle);
	await box.take();
	t.like(await box.report(), {release: 'taken', reasons: []});
	t.deepEqual(await readFile(path.join(box.stick, `${sha256}.bundle`)), bundle);
});

test('of several files that are as long as the bundle the right one is found', async (t) => {
	const box = await withStickBox(t);
	const {sha256, bundle} = await bringRelease(t, box);
	// Whatever order a directory is read in, one of them comes before the right one.
	for (const name of ['a.raucb', 'z.raucb']) {
		await writeFile(path.join(box.folder, name), Buffer.from(bundle).fill(0, 600, 700));
	}
	await box.take();
	t.like(await box.report(), {release: 'taken', reasons: []});
	t.deepEqual(await readFile(path.join(box.stick, `${sha256}.bundle`)), bundle);
	t.false((await box.names()).includes('incoming.part'));
});

test('a damaged bundle of another release leaves the one that is under way where it is', async (t) => {
	const box = await withStickBox(t);
	await bringRelease(t, box);
	await box.take();
	const before = await box.names();
	await bringRelease(t, box, {version: '3.0.0'});
	await spoil(path.join(box.folder, broughtName));
	await box.take();
	t.like(await box.report(), {release: 'refused'});
	t.deepEqual(await box.names(), before);
});

const tryAgain = test.macro({
	exec: async (t, end: Pick<BroughtEnd, 'phase' | 'reason'>, code?: string) => {
		const box = await withStickBox(t);
		const {manifestBytes} = await bringRelease(t, box);
		await box.take();
		const brought = await openBroughtRelease({directory: box.stick, kind: 'stb', logger: silentLogger()});
		brought.ended({...end, orderId: nextOrderId(manifestBytes, undefined), sinceMs: 1});
		await eventually('its room is given back', async () => !(await box.names()).includes('manifest.json'));
		for (const boot of [2, 3]) {
			await box.take();
			const [reason] = (await box.report())?.reasons ?? [];
			t.is(reason?.code, code, `boot ${boot}`);
			t.true(reason === undefined || end.reason === undefined || reason.message.includes(end.reason.code));
			t.is((await box.names()).includes('manifest.json'), code === undefined);
		}
	},
	title: (name) => `at the next boot, of a release that ${name}`,
});
const because = (code: string) => ({code, message: 'As it was told.'});

test('found a full disk, another try', tryAgain, {phase: 'failed', reason: because('OTA_FAILED_ROOM')});
test('was refused by a full disk, another try', tryAgain, {phase: 'refused', reason: because('OTA_REFUSED_ROOM')});
test(
	'fell back, a word of it and no other try',
	tryAgain,
	{phase: 'rolled-back', reason: because('OTA_ROLLED_BACK_CHECKS')},
	'STICK_RELEASE_ENDED',
);
test(
	'did not even get back, a word of it and no other try',
	tryAgain,
	{phase: 'failed', reason: because('OTA_FAILED_REVERT')},
	'STICK_RELEASE_ENDED',
);
test(
	'is older than what runs, a word of it and no other try',
	tryAgain,
	{phase: 'refused', reason: because('OTA_REFUSED_DOWNGRADE')},
	'STICK_RELEASE_ENDED',
);
test('was installed, a word of it and no other try', tryAgain, {phase: 'confirmed'}, 'STICK_RELEASE_ENDED');

test('two sticks that take turns bring back nothing that fell back', async (t) => {
	const box = await withStickBox(t);
	const brought = await openBroughtRelease({directory: box.stick, kind: 'stb', logger: silentLogger()});
	const manifests: Buffer[] = [];
	for (const version of ['2.0.0', '3.0.0']) {
		const {manifestBytes} = await bringRelease(t, box, {version});
		await box.take();
		manifests.push(manifestBytes);
		const orderId = nextOrderId(manifestBytes, undefined);
		brought.ended({phase: 'rolled-back', orderId, sinceMs: 1, reason: because('OTA_ROLLED_BACK_CHECKS')});
		await eventually('its room is given back', async () => !(await box.names()).includes('manifest.json'));
	}
	for (const manifestBytes of manifests) {
		await writeFile(path.join(box.folder, 'manifest.json'), manifestBytes);
		await box.take();
		t.like(await box.report(), {release: 'refused', reasons: [{code: 'STICK_RELEASE_ENDED'}]});
	}
});

test('links that somebody left in the state are not followed', async (t) => {
	const box = await withStickBox(t);
	await bringRelease(t, box);
	const outside = path.join(box.root, 'outside');
	await mkdir(outside);
	await writeFile(path.join(outside, 'precious'), 'precious');
	await symlink(outside, box.stick);
	await box.take();
	t.deepEqual(await readdir(outside), ['precious']);
	await rm(path.join(box.stick, 'manifest.json'));
	for (const name of ['incoming.part', 'ended.json', 'reports.json', 'manifest.json']) {
		await rm(path.join(box.stick, name), {force: true});
		await symlink(path.join(outside, 'precious'), path.join(box.stick, name));
	}
	await box.take();
	t.like(await box.report(), {release: 'taken'});
	t.is(await readFile(path.join(outside, 'precious'), 'utf8'), 'precious');
	const claim = path.join(box.options.stateDirectory, 'fleet/claim.json');
	await rm(claim);
	await symlink(path.join(outside, 'precious'), claim);
	await rm(path.join(box.stick, 'manifest.json'));
	await box.take();
	t.false(JSON.stringify(await box.report()).includes('precious"'), 'nor is it told what is behind one');
	t.like(await box.report(), {release: 'refused'});
});
