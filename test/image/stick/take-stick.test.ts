import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {readFile, rename, rm, stat, truncate, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {seedBytesMax, seedPath} from '#image/seed/seed-schema.ts';
import {takeStick} from '#image/stick/take-stick.ts';
import {withLoopDevice} from '#test/helper/with-loop-device.ts';
import {bringRelease, broughtName, type StickBox, withStickBox} from '#test/helper/with-stick-box.ts';

const run = promisify(execFile);
const seed = JSON.stringify({version: 1, site: 'nairobi'});

test('a seed waits for the first boot of a box that is nobody’s', async (t) => {
	const box = await withStickBox(t, {claimed: false});
	await writeFile(path.join(box.folder, 'seed.json'), seed);
	await box.take();
	t.is(await readFile(path.join(box.options.seedRoot, seedPath), 'utf8'), seed);
	t.like(await box.report(), {seed: 'taken', release: 'none'});
});

test('a box that is a fleet’s takes no seed from whoever stands before it', async (t) => {
	const box = await withStickBox(t);
	await writeFile(path.join(box.folder, 'seed.json'), seed);
	await box.take();
	t.like(await box.report(), {seed: 'refused', reasons: [{code: 'STICK_BOX_CLAIMED'}]});
	await t.throwsAsync(stat(box.options.seedRoot), {code: 'ENOENT'});
});

test('a box whose claim was removed is a fleet’s all the same', async (t) => {
	const box = await withStickBox(t, {claimed: false});
	await writeFile(box.options.anchorPath, '{}');
	await writeFile(path.join(box.folder, 'seed.json'), seed);
	await box.take();
	t.like(await box.report(), {seed: 'refused', reasons: [{code: 'STICK_BOX_CLAIMED'}]});
});

test('a box that has a certificate alone, or whose claim cannot be looked at, is somebody’s all the same', async (t) => {
	for (const [name, content] of [
		['fleet/certificate.pem', ''],
		['fleet', 'a file where a folder should be'],
	] as const) {
		const box = await withStickBox(t, {claimed: false});
		const file = path.join(box.options.stateDirectory, name);
		await rm(file, {recursive: true, force: true});
		await writeFile(file, content);
		await writeFile(path.join(box.folder, 'seed.json'), seed);
		await box.take();
		t.like(await box.report(), {seed: 'refused', reasons: [{code: 'STICK_BOX_CLAIMED'}]});
	}
});

test('a box that cannot read whose it is takes no seed either', async (t) => {
	const box = await withStickBox(t, {claimed: false, stateLost: 'the data partition cannot be used'});
	await writeFile(path.join(box.folder, 'seed.json'), seed);
	await box.take();
	t.like(await box.report(), {seed: 'refused', reasons: [{code: 'STICK_BOX_CLAIMED'}]});
	await t.throwsAsync(stat(box.options.seedRoot), {code: 'ENOENT'});
});

test('two sticks of one boot are both told of, and so are many boots of a box that cannot tell yet', async (t) => {
	const box = await withStickBox(t);
	await bringRelease(t, box);
	await rm(path.join(box.folder, broughtName));
	await box.take();
	await bringRelease(t, box);
	await box.take();
	const two = await box.reports();
	t.deepEqual(
		two.map(({release}) => release),
		['refused', 'taken'],
	);
	await writeFile(path.join(box.folder, 'seed.json'), seed);
	for (let boot = 0; boot < 10; boot++) {
		await box.take();
	}
	const last = await box.reports();
	t.is(last.length, 8, 'and no more than that');
	t.true(last.every(({seed: taken}) => taken === 'refused'));
});

test('a seed that is too long is left where it is', async (t) => {
	const box = await withStickBox(t, {claimed: false});
	await writeFile(path.join(box.folder, 'seed.json'), 'x'.repeat(seedBytesMax + 1));
	await box.take();
	t.like(await box.report(), {seed: 'refused'});
});

test('a stick with nothing for a box leaves no trace', async (t) => {
	const box = await withStickBox(t);
	await box.take();
	await rm(box.folder, {recursive: true});
	await box.take();
	await writeFile(box.folder, 'a file of that name');
	await box.take();
	t.deepEqual(await box.names(), []);
});

/** What this kernel mounts of what a stick may have; a container's may know no FAT, and then ext4 stands for it. */
const mountable = (readFileSync('/proc/filesystems', 'utf8').match(/\b(?:vfat|ext4)$/gmu) ?? []).toSorted().at(-1);

const makeImage = async (image: string, {folder}: Pick<StickBox, 'folder'>): Promise<void> => {
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
	const box = await withStickBox(t);
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
