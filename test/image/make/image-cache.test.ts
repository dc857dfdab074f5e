import {statSync} from 'node:fs';
import {
	chown,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	readlink,
	rm,
	stat,
	symlink,
	utimes,
	writeFile,
} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {checkoutCache, openImageCache} from '#image/make/image-cache.ts';
import {developmentKeysDirectory} from '#image/make/image-keys.ts';
import {projectRoot} from '#native/project-root.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const tarball = 'rootfs-0123456789abcdef.tar';
const sysroot = 'sysroot-bookworm-arm64-01234567';
const npmPackage = 'npm-@lydell-node-pty-linux-arm64-1.1.0';
const work = `${tarball}.Ab12Cd`;
const keptAt = new Date('2026-03-04T05:06:07Z');

/** What a checkout kept by itself before checkouts shared a cache. */
const withCheckout = async (t: ExecutionContext, parent = tmpdir()): Promise<string> => {
	const checkout = await mkdtemp(path.join(parent, 'streamverse-'));
	t.teardown(async () => await rm(checkout, {recursive: true}));
	for (const folder of ['keys', work, npmPackage, `${sysroot}/usr/lib`]) {
		await mkdir(path.join(checkout, folder), {recursive: true});
	}
	await writeFile(path.join(checkout, 'keys/db.key'), 'secret');
	await writeFile(path.join(checkout, tarball), 'packages');
	await symlink('../../../lib/libz.so.1', path.join(checkout, sysroot, 'usr/lib/libz.so'));
	await utimes(path.join(checkout, tarball), keptAt, keptAt);
	return checkout;
};

const isTakenOver = async (t: ExecutionContext, {from, to}: {readonly from: string; readonly to: string}) => {
	t.deepEqual((await readdir(to)).sort(), [npmPackage, tarball, sysroot].sort());
	t.deepEqual((await stat(path.join(to, tarball))).mtimeMs, keptAt.getTime(), 'its packages are as old as before');
	t.is(await readlink(path.join(to, sysroot, 'usr/lib/libz.so')), '../../../lib/libz.so.1');
	t.deepEqual((await readdir(from)).sort(), ['keys', work].sort(), 'keys stay, and what is not whole');
	t.is(await readFile(path.join(from, 'keys/db.key'), 'utf8'), 'secret');
};

test('a development fleet’s keys are where each checkout has them', (t) => {
	t.is(developmentKeysDirectory, path.join(projectRoot, 'build/image-cache/keys'));
	t.is(checkoutCache, path.dirname(developmentKeysDirectory));
});

test('it is the user’s, or that of the variable, or the one that is named', async (t) => {
	const [checkout, home] = [await withDirectory(t), await withDirectory(t)];
	const inHome = (name: string): string => path.join(home, name);
	const cases = [
		[{HOME: home}, inHome('.cache/streamverse/image')],
		[{HOME: home, XDG_CACHE_HOME: inHome('caches')}, inHome('caches/streamverse/image')],
		[{HOME: home, XDG_CACHE_HOME: 'caches', STREAMVERSE_IMAGE_CACHE: ''}, inHome('.cache/streamverse/image')],
		[{HOME: home, STREAMVERSE_IMAGE_CACHE: inHome('images')}, inHome('images')],
	] as const;
	for (const [environment, expected] of cases) {
		t.is(await openImageCache({environment, checkout}), expected);
		t.true((await stat(expected)).isDirectory());
	}
	const environment = {HOME: home, STREAMVERSE_IMAGE_CACHE: inHome('images')};
	t.is(await openImageCache({named: inHome('named'), environment, checkout}), inHome('named'));
});

test('without a home, or with one that nothing can be written to, it is the checkout’s', async (t) => {
	const checkout = await withCheckout(t);
	const file = path.join(await withDirectory(t), 'file');
	await writeFile(file, 'no folder');
	const before = await readdir(checkout);
	for (const environment of [{}, {HOME: ''}, {HOME: file}, {HOME: '/', XDG_CACHE_HOME: file}]) {
		t.is(await openImageCache({environment, checkout}), checkout);
	}
	t.deepEqual(await readdir(checkout), before);
});

test('one that somebody chose and that cannot be written is told', async (t) => {
	const file = path.join(await withDirectory(t), 'file');
	await writeFile(file, 'no folder');
	const told = {code: 'IMAGE_CACHE_INVALID', message: /file.*--cache, STREAMVERSE_IMAGE_CACHE/u};
	await t.throwsAsync(openImageCache({named: file}), told);
	await t.throwsAsync(openImageCache({environment: {STREAMVERSE_IMAGE_CACHE: file}, checkout: file}), told);
});

test('what a checkout kept is taken over, and nothing of it by a cache that is named for once', async (t) => {
	const [checkout, home] = [await withCheckout(t), await withDirectory(t)];
	const named = path.join(home, 'named');
	await openImageCache({named, environment: {}, checkout});
	t.deepEqual(await readdir(named), []);
	const cache = await openImageCache({environment: {HOME: home}, checkout});
	await isTakenOver(t, {from: checkout, to: cache});
});

test('what is there already is left as it is', async (t) => {
	const [checkout, cache] = [await withCheckout(t), await withDirectory(t)];
	await writeFile(path.join(cache, tarball), 'of another checkout');
	await openImageCache({environment: {STREAMVERSE_IMAGE_CACHE: cache}, checkout});
	t.is(await readFile(path.join(cache, tarball), 'utf8'), 'of another checkout');
	t.is(await readFile(path.join(checkout, tarball), 'utf8'), 'packages');
});

test('builds that take it over at once do not disturb each other', async (t) => {
	const [checkout, cache] = [await withCheckout(t), await withDirectory(t)];
	const environment = {STREAMVERSE_IMAGE_CACHE: cache};
	const opened = await Promise.all(Array.from({length: 8}, () => openImageCache({environment, checkout})));
	t.deepEqual([...new Set(opened)], [cache]);
	await isTakenOver(t, {from: checkout, to: cache});
});

const memory = '/dev/shm';
const deviceOf = (folder: string): number | undefined => statSync(folder, {throwIfNoEntry: false})?.dev;
const isOther = deviceOf(memory) !== undefined && deviceOf(memory) !== deviceOf(tmpdir());

(isOther ? test : test.skip)('it is taken over to another file system as well, by several at once', async (t) => {
	const [checkout, cache] = [await withCheckout(t, memory), await withDirectory(t)];
	const environment = {STREAMVERSE_IMAGE_CACHE: cache};
	await Promise.all(Array.from({length: 4}, () => openImageCache({environment, checkout})));
	await isTakenOver(t, {from: checkout, to: cache});
});

(process.getuid?.() === 0 ? test : test.skip)('what another user made stays his', async (t) => {
	const [checkout, cache] = [await withCheckout(t), await withDirectory(t)];
	await chown(path.join(checkout, tarball), 65_534, 65_534);
	await openImageCache({environment: {STREAMVERSE_IMAGE_CACHE: cache}, checkout});
	t.deepEqual((await readdir(cache)).sort(), [npmPackage, sysroot].sort());
	t.true((await readdir(checkout)).includes(tarball));
});
