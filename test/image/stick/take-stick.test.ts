import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {cp, mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {seedBytesMax, seedPath} from '#image/seed/seed-schema.ts';
import {type TakeStickOptions, takeFolder, takeStick} from '#image/stick/take-stick.ts';
import {broughtReportSchema} from '#ota/member/brought-release.ts';
import {createReleaseKey} from '#ota/release/release-key.ts';
import {sampleClaim} from '#test/helper/sample-claim.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withLoopDevice} from '#test/helper/with-loop-device.ts';
import {testReleaseKey, withRelease} from '#test/helper/with-release.ts';

const run = promisify(execFile);
const seed = JSON.stringify({version: 1, site: 'nairobi'});

/** A box that trusts the test's release key, or is nobody's yet, and a folder as on a stick. */
const withBox = async (t: ExecutionContext, {claimed = true, releaseCaPem = ''} = {}) => {
	const root = await withDirectory(t);
	const stateDirectory = path.join(root, 'state');
	const folder = path.join(root, 'stick/streamverse');
	await mkdir(path.join(stateDirectory, 'fleet'), {recursive: true});
	await mkdir(folder, {recursive: true});
	if (claimed) {
		const claim = {...sampleClaim, releaseCaPem: releaseCaPem || (await testReleaseKey()).caPem};
		await writeFile(path.join(stateDirectory, 'fleet/claim.json'), JSON.stringify(claim));
	}
	const options: TakeStickOptions = {
		...{
			kind: 'stb',
			stateDirectory,
			claimFile: path.join(root, 'claim.json'),
			anchorPath: path.join(root, 'anchor.json'),
			seedRoot: path.join(root, 'seed'),
			mountDirectory: path.join(root, 'mount'),
		},
		...{nowMs: () => 1000, logger: silentLogger(), signal: new AbortController().signal},
	};
	const stick = path.join(stateDirectory, 'stick');
	const names = async () => (await readdir(stick).catch(() => [])).toSorted();
	const report = async () =>
		broughtReportSchema.parse(JSON.parse(await readFile(path.join(stick, 'report.json'), 'utf8')));
	return {root, folder, options, stick, names, report, take: () => takeFolder(folder, options)};
};

type Box = Awaited<ReturnType<typeof withBox>>;

const bringRelease = async (
	t: ExecutionContext,
	{folder}: Pick<Box, 'folder'>,
	options: Parameters<typeof withRelease>[1] = {},
) => {
	const release = await withRelease(t, options);
	for (const name of ['manifest.json', 'manifest.cms']) {
		await cp(path.join(release.directory, name), path.join(folder, name));
	}
	await writeFile(path.join(folder, 'Set-top 2.0.0.RAUCB'), release.bundle);
	return release;
};

test('a release is carried in with its signature, for whoever owns the state, and told of', async (t) => {
	const box = await withBox(t);
	const {sha256, bundle, manifestBytes, signature} = await bringRelease(t, box);
	await box.take();
	t.deepEqual(
		await box.names(),
		[`${sha256}.bundle`, 'done', 'manifest.json', 'report.json', 'signature.txt'].toSorted(),
	);
	t.deepEqual(await readFile(path.join(box.stick, `${sha256}.bundle`)), bundle);
	t.deepEqual(await readFile(path.join(box.stick, 'manifest.json')), manifestBytes);
	t.is(await readFile(path.join(box.stick, 'signature.txt'), 'utf8'), signature.toString('base64'));
	t.like(await box.report(), {seed: 'none', release: 'taken', reasons: []});
	t.is((await stat(box.stick)).mode & 0o777, 0o700);
});

test('a stick that stays where it is is taken from once, and another release replaces the first', async (t) => {
	const box = await withBox(t);
	await bringRelease(t, box);
	await box.take();
	await rm(path.join(box.stick, 'report.json'));
	await box.take();
	t.false((await box.names()).includes('report.json'));
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
		damage: (box: Box) => Promise<unknown>,
		code: string,
		options?: Parameters<typeof withRelease>[1],
	) => {
		const box = await withBox(t);
		await bringRelease(t, box, options);
		await damage(box);
		await box.take();
		t.like(await box.report(), {release: 'refused', reasons: [{code}]});
		t.deepEqual(await box.names(), ['report.json'], 'nothing of it was carried in');
	},
	title: (name) => `refused with a code, and nothing is copied: ${name}`,
});
const inFolder =
	(name: string, work: (file: string) => Promise<unknown>) =>
	async ({folder}: Box) =>
		await work(path.join(folder, name));
const bundleName = 'Set-top 2.0.0.RAUCB';

test('no signature', refused, inFolder('manifest.cms', rm), 'STICK_RELEASE_INCOMPLETE');
test('no manifest', refused, inFolder('manifest.json', rm), 'STICK_RELEASE_INCOMPLETE');
test('no bundle', refused, inFolder(bundleName, rm), 'STICK_RELEASE_INCOMPLETE');
test(
	'a bundle that is cut off',
	refused,
	inFolder(bundleName, (file) => truncate(file, 1000)),
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

test('a seed waits for the first boot of a box that is nobody’s', async (t) => {
	const box = await withBox(t, {claimed: false});
	await writeFile(path.join(box.folder, 'seed.json'), seed);
	await box.take();
	t.is(await readFile(path.join(box.options.seedRoot, seedPath), 'utf8'), seed);
	t.like(await box.report(), {seed: 'taken', release: 'none'});
});

test('a box that is a fleet’s takes no seed from whoever stands before it', async (t) => {
	const box = await withBox(t);
	await writeFile(path.join(box.folder, 'seed.json'), seed);
	await box.take();
	t.like(await box.report(), {seed: 'refused', reasons: [{code: 'STICK_BOX_CLAIMED'}]});
	await t.throwsAsync(stat(box.options.seedRoot), {code: 'ENOENT'});
});

test('a box whose claim was removed is a fleet’s all the same', async (t) => {
	const box = await withBox(t, {claimed: false});
	await writeFile(box.options.anchorPath, '{}');
	await writeFile(path.join(box.folder, 'seed.json'), seed);
	await box.take();
	t.like(await box.report(), {seed: 'refused', reasons: [{code: 'STICK_BOX_CLAIMED'}]});
});

test('links that somebody left in the state are not followed', async (t) => {
	const box = await withBox(t);
	const {sha256} = await bringRelease(t, box);
	const outside = path.join(box.root, 'outside');
	await mkdir(outside);
	await writeFile(path.join(outside, 'precious'), 'precious');
	await symlink(outside, box.stick);
	await box.take();
	t.deepEqual(await readdir(outside), ['precious']);
	await rm(path.join(box.stick, 'done'));
	await symlink(path.join(outside, 'precious'), path.join(box.stick, `${sha256}.bundle.part`));
	await box.take();
	t.is(await readFile(path.join(outside, 'precious'), 'utf8'), 'precious');
	const claim = path.join(box.options.stateDirectory, 'fleet/claim.json');
	await rm(claim);
	await symlink(path.join(outside, 'precious'), claim);
	await rm(path.join(box.stick, 'done'));
	await box.take();
	t.false(JSON.stringify(await box.report()).includes('precious"'), 'nor is it told what is behind one');
	t.like(await box.report(), {release: 'refused'});
});

test('a seed that is too long is left where it is', async (t) => {
	const box = await withBox(t, {claimed: false});
	await writeFile(path.join(box.folder, 'seed.json'), 'x'.repeat(seedBytesMax + 1));
	await box.take();
	t.like(await box.report(), {seed: 'refused'});
});

test('a stick with nothing for a box leaves no trace', async (t) => {
	const box = await withBox(t);
	await box.take();
	await rm(box.folder, {recursive: true});
	await box.take();
	await writeFile(box.folder, 'a file of that name');
	await box.take();
	t.deepEqual(await box.names(), []);
});

/** What this kernel mounts of what a stick may have; a container's may know no FAT, and then ext4 stands for it. */
const mountable = (readFileSync('/proc/filesystems', 'utf8').match(/\b(?:vfat|ext4)$/gmu) ?? []).toSorted().at(-1);

const makeImage = async (image: string, {folder}: Pick<Box, 'folder'>): Promise<void> => {
	await writeFile(image, '');
	await truncate(image, 16 * 1024 ** 2);
	if (mountable === 'vfat') {
		await run('mkfs.vfat', ['-n', 'HOLIDAY', image]);
		await run('mcopy', ['-s', '-i', image, folder, '::/streamverse']);
	} else {
		await run('mkfs.ext4', ['-q', '-d', path.dirname(folder), image]);
	}
};

test('a real file system is mounted, read, left as it was, and not left mounted', async (t) => {
	const box = await withBox(t);
	const {sha256, bundle} = await bringRelease(t, box, {sizeBytes: 3_000_000});
	const image = path.join(box.root, 'stick.img');
	await makeImage(image, box);
	await rename(path.dirname(box.folder), path.join(box.root, 'unplugged'));
	const before = await readFile(image);
	const device = mountable === undefined ? undefined : await withLoopDevice(t, image);
	if (device === undefined) {
		return;
	}
	t.log(`a file system of type ${mountable}`);
	const mounted = async () => (await readFile('/proc/self/mounts', 'utf8')).includes(box.options.mountDirectory);
	await takeStick({path: device, fileSystem: mountable as 'vfat'}, box.options);
	t.deepEqual(await readFile(path.join(box.stick, `${sha256}.bundle`)), bundle);
	t.like(await box.report(), {release: 'taken'});
	t.false(await mounted());
	t.true(before.equals(await readFile(image)), 'nothing was written to it');
	await t.throwsAsync(takeStick({path: device, fileSystem: 'exfat'}, box.options));
	t.false(await mounted());
});
