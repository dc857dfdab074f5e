import {readdir, readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {objectUriOfPath} from '#appliance/contract/object-uri.ts';
import {commitBytes, readCached, sha256Of, withObjectCache} from '#test/helper/with-object-cache.ts';

const uri = objectUriOfPath;
const bytesOf = (length: number, fill: number): Buffer => Buffer.alloc(length, fill);

test('a committed object is found, read, and shown in the web tree', async (t) => {
	const cache = await withObjectCache(t);
	const object = await commitBytes(cache, '/streamverse/vod/a.m4s', bytesOf(5000, 1));
	t.is(object.sizeBytes, 5000);
	t.deepEqual(await readCached(cache, '/streamverse/vod/a.m4s'), bytesOf(5000, 1));
	t.is(cache.peek(uri('/streamverse/vod/a.m4s'))?.sha256, sha256Of(bytesOf(5000, 1)));
	t.deepEqual(await readFile(join(cache.layout.www, 'streamverse/vod/a.m4s')), bytesOf(5000, 1));
	t.is(cache.stats().bytes, 5000);
	t.deepEqual(await readdir(cache.layout.incoming), []);
});

test('a newer version replaces the older one at once, and who reads the older one reads on', async (t) => {
	const cache = await withObjectCache(t);
	await commitBytes(cache, '/streamverse/a', bytesOf(100, 1));
	const opened = await cache.open(uri('/streamverse/a'));
	await commitBytes(cache, '/streamverse/a', bytesOf(70, 2));
	t.deepEqual(await readCached(cache, '/streamverse/a'), bytesOf(70, 2));
	await using handle = opened?.handle;
	t.deepEqual(await handle?.readFile(), bytesOf(100, 1));
	t.is(cache.stats().bytes, 70);
	t.is(cache.stats().objects, 1);
	t.is((await readdir(cache.layout.objects)).length, 2);
});

test('concurrent commits of one URI leave exactly one whole version', async (t) => {
	const cache = await withObjectCache(t);
	await Promise.all(
		Array.from({length: 20}, (_, index) => commitBytes(cache, '/streamverse/a', bytesOf(10 + index, index))),
	);
	t.is(cache.stats().objects, 1);
	const kept = await readCached(cache, '/streamverse/a');
	t.deepEqual(kept, bytesOf(kept?.length ?? 0, (kept?.length ?? 0) - 10));
	t.is(cache.stats().bytes, kept?.length ?? 0);
	t.is((await readdir(cache.layout.objects)).length, 2);
});

test('the same bytes again only bring new dates', async (t) => {
	const cache = await withObjectCache(t);
	const first = await commitBytes(cache, '/streamverse/a', bytesOf(100, 1));
	const second = await commitBytes(cache, '/streamverse/a', bytesOf(100, 1), {freshUntilMs: Date.now() + 5000});
	t.is(second.filePath, first.filePath);
	t.is(cache.peek(second.uri)?.freshUntilMs, second.freshUntilMs);
	t.deepEqual(await readdir(cache.layout.incoming), []);
	t.is(cache.stats().bytes, 100);
});

test('an object and a directory of the same name live side by side', async (t) => {
	const cache = await withObjectCache(t);
	await commitBytes(cache, '/streamverse/a', bytesOf(10, 1));
	await commitBytes(cache, '/streamverse/a/b', bytesOf(10, 2));
	await commitBytes(cache, '/streamverse/c/d', bytesOf(10, 3));
	await commitBytes(cache, '/streamverse/c', bytesOf(10, 4));
	await commitBytes(cache, '/streamverse/e//f', bytesOf(10, 5));
	for (const [path, fill] of [
		['a', 1],
		['a/b', 2],
		['c/d', 3],
		['c', 4],
		['e//f', 5],
	] as const) {
		t.deepEqual(await readCached(cache, `/streamverse/${path}`), bytesOf(10, fill), path);
	}
	await t.throwsAsync(stat(join(cache.layout.www, 'streamverse/e/f')));
});

test('a directory of the web tree goes with its last object, and an object may take its name', async (t) => {
	const cache = await withObjectCache(t);
	await commitBytes(cache, '/streamverse/film.mp4/1.m4s', bytesOf(10, 1));
	await commitBytes(cache, '/streamverse/b.m4s', bytesOf(10, 1));
	await cache.remove(uri('/streamverse/film.mp4/1.m4s'));
	t.deepEqual(await readdir(join(cache.layout.www, 'streamverse')), ['b.m4s']);
	await commitBytes(cache, '/streamverse/film.mp4', bytesOf(20, 2));
	t.deepEqual(await readFile(join(cache.layout.www, 'streamverse/film.mp4')), bytesOf(20, 2));
});

test('low goes before medium before high, the least recently used first, and pins stay', async (t) => {
	let nowMs = 1_000_000;
	const clock = {nowMs: () => nowMs++, monotonicMs: () => nowMs};
	const cache = await withObjectCache(t, {budgetBytes: 1000, clock});
	const commit = async (name: string, priority: 'low' | 'medium' | 'high' | 'live') =>
		await commitBytes(cache, `/streamverse/${name}`, bytesOf(250, name.charCodeAt(0)), {priority});
	const has = (...names: string[]) => names.filter((name) => cache.peek(uri(`/streamverse/${name}`)) !== undefined);
	await commit('m', 'medium');
	await commit('l', 'low');
	await commit('h', 'high');
	await commit('n', 'medium');
	cache.get(uri('/streamverse/m'));
	await commit('x', 'high');
	t.deepEqual(has('m', 'l', 'h', 'n', 'x'), ['m', 'h', 'n', 'x']);
	await commit('y', 'medium');
	t.deepEqual(has('m', 'h', 'n', 'x', 'y'), ['m', 'h', 'x', 'y']);
	await t.throwsAsync(commit('z', 'low'), {code: 'STB_CACHE_FULL'});
	t.true(await cache.pin(uri('/streamverse/m')));
	await commit('z', 'live');
	t.deepEqual(has('m', 'h', 'x', 'y', 'z'), ['m', 'h', 'x', 'z']);
	t.is(cache.stats().bytes, 1000);
	t.deepEqual(await readdir(cache.layout.incoming), []);
});

test('an object beyond the budget is refused and evicts nobody', async (t) => {
	const cache = await withObjectCache(t, {budgetBytes: 1000});
	await commitBytes(cache, '/streamverse/a', bytesOf(500, 1));
	await t.throwsAsync(commitBytes(cache, '/streamverse/b', bytesOf(1001, 1), {priority: 'live'}), {
		code: 'STB_CACHE_FULL',
	});
	t.false(await cache.makeRoom(1001));
	t.is(cache.stats().objects, 1);
	t.true(await cache.makeRoom(1000));
	t.is(cache.stats().objects, 0);
});

test('what has expired is not found, pinned or not, and leaves the disk', async (t) => {
	let nowMs = 1_000_000;
	const cache = await withObjectCache(t, {clock: {nowMs: () => nowMs, monotonicMs: () => nowMs}});
	await commitBytes(cache, '/streamverse/a', bytesOf(10, 1), {expiresMs: nowMs + 1000});
	await cache.pin(uri('/streamverse/a'));
	t.truthy(cache.peek(uri('/streamverse/a')));
	nowMs += 1000;
	t.is(cache.peek(uri('/streamverse/a')), undefined);
	await t.throwsAsync(commitBytes(cache, '/streamverse/b', bytesOf(10, 1), {expiresMs: nowMs}), {
		code: 'STB_CACHE_OBJECT_INVALID',
	});
	await t.throwsAsync(commitBytes(cache, '/streamverse/c', bytesOf(10, 1), {sizeBytes: 11}), {
		code: 'STB_CACHE_OBJECT_INVALID',
	});
	for (let attempt = 0; attempt < 100 && cache.stats().objects > 0; attempt++) {
		await new Promise((resolve) => {
			setTimeout(resolve, 50);
		});
	}
	t.is(cache.stats().objects, 0);
	t.deepEqual(await readdir(cache.layout.objects), []);
});

test('objects are listed by pages, removed one by one and by prefix', async (t) => {
	const cache = await withObjectCache(t);
	for (const name of ['a/1', 'a/2', 'a/3', 'b/1', 'a']) {
		await commitBytes(cache, `/streamverse/${name}`, bytesOf(10, 1));
	}
	const first = cache.list({limit: 2}).map((object) => object.uri);
	t.deepEqual(first, [uri('/streamverse/a'), uri('/streamverse/a/1')]);
	t.is(cache.list({after: first[1] ?? '', limit: 10}).length, 3);
	t.true(await cache.remove(uri('/streamverse/a/2')));
	t.false(await cache.remove(uri('/streamverse/a/2')));
	t.is(await cache.purge({prefix: 'http://dvb.gw/streamverse/a/'}), 2);
	t.deepEqual(
		cache.list({limit: 10}).map((object) => object.uri),
		[uri('/streamverse/a'), uri('/streamverse/b/1')],
	);
	t.is(cache.stats().bytes, 20);
});
