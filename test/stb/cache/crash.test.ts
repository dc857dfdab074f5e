import {fork} from 'node:child_process';
import {once} from 'node:events';
import {appendFile, readdir, readFile, rm, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {commitBytes, readCached, sha256Of, withObjectCache} from '#test/helper/with-object-cache.ts';

const rounds = 15;
const victim = fileURLToPath(new URL('commit-loop.ts', import.meta.url));

/** Everything that the cache would serve is what its digest says, and nothing else lies on the disk. */
const assertSound = async (t: ExecutionContext, cache: ObjectCache): Promise<number> => {
	await cache.healed();
	const objects = cache.list({limit: 1000});
	let bytes = 0;
	for (const object of objects) {
		const content = await readFile(object.filePath);
		t.is(sha256Of(content), object.sha256, object.uri);
		t.is(content.length, object.sizeBytes);
		bytes += content.length;
	}
	t.is(cache.stats().bytes, bytes);
	t.is(cache.stats().objects, objects.length);
	t.is((await readdir(cache.layout.objects)).length, 2 * objects.length);
	t.deepEqual(await readdir(cache.layout.incoming), []);
	return objects.length;
};

test('kill -9 in the middle of commits, replacements and evictions corrupts nothing, and every start heals', async (t) => {
	const directory = await withDirectory(t);
	let seen = 0;
	for (let round = 0; round < rounds; round++) {
		const child = fork(victim, [directory], {stdio: ['ignore', 'ignore', 'inherit', 'ipc']});
		await once(child, 'message');
		await delay(Math.random() * 250);
		const exited = once(child, 'exit');
		child.kill('SIGKILL');
		await exited;
		const cache = await withObjectCache(t, {directory, budgetBytes: 600_000});
		seen += await assertSound(t, cache);
		await cache[Symbol.asyncDispose]();
	}
	t.true(seen > 0);
});

test('what commit has answered is there after kill -9', async (t) => {
	const directory = await withDirectory(t);
	const child = fork(victim, [directory], {stdio: ['ignore', 'ignore', 'inherit', 'ipc']});
	const newest = new Map<string, string[]>();
	const answered = Promise.withResolvers<void>();
	child.on('message', (message: {path?: string; sha256?: string; committed?: boolean}) => {
		const {path, sha256, committed} = message;
		if (path?.endsWith('/0.m4s') === true && sha256 !== undefined) {
			// After the answer only this version, or a later one under way, may be found.
			newest.set(path, committed === true ? [sha256] : [...(newest.get(path) ?? []), sha256]);
			if (committed === true) {
				answered.resolve();
			}
		}
	});
	// Comes after the last of its messages.
	const closed = once(child, 'close');
	await answered.promise;
	child.kill('SIGKILL');
	await closed;
	const cache = await withObjectCache(t, {directory, budgetBytes: 600_000});
	await cache.healed();
	let found = 0;
	for (const [path, digests] of newest) {
		const bytes = await readCached(cache, path);
		if (bytes !== undefined) {
			t.true(digests.includes(sha256Of(bytes)), path);
			found += 1;
		}
	}
	t.true(found > 0);
});

test('a lost or broken index is made anew from what lies on the disk', async (t) => {
	for (const breakIt of [
		async (path: string) => await rm(path),
		async (path: string) =>
			await writeFile(path, 'this is no database, and longer than a header of one would be'.repeat(50)),
		async (path: string) => await truncate(path, 5000),
		async (path: string) => await writeFile(path, (await readFile(path)).fill(0x5a, 4096)),
	]) {
		const directory = await withDirectory(t);
		const first = await withObjectCache(t, {directory});
		const bytes = Buffer.alloc(5000, 7);
		await commitBytes(first, '/streamverse/a.m4s', bytes, {priority: 'high'});
		await commitBytes(first, '/streamverse/b.m4s', Buffer.from('b'));
		await first.pin('http://dvb.gw/streamverse/b.m4s');
		await first[Symbol.asyncDispose]();
		await breakIt(first.layout.index);
		const second = await withObjectCache(t, {directory});
		t.is(await assertSound(t, second), 2);
		t.deepEqual(await readCached(second, '/streamverse/a.m4s'), bytes);
		t.is(second.peek('http://dvb.gw/streamverse/a.m4s')?.priority, 'high');
		t.true(second.peek('http://dvb.gw/streamverse/b.m4s')?.pinned);
		t.deepEqual(await readFile(join(second.layout.www, 'streamverse/a.m4s')), bytes);
	}
});

test('altered, cut, orphaned and foreign files on the disk are never served', async (t) => {
	const directory = await withDirectory(t);
	const first = await withObjectCache(t, {directory});
	for (const name of ['cut', 'gone', 'altered', 'broken', 'good']) {
		await commitBytes(first, `/streamverse/${name}.m4s`, Buffer.from(`the bytes of ${name}`));
	}
	const pathOf = (name: string) => first.peek(`http://dvb.gw/streamverse/${name}.m4s`)?.filePath ?? '';
	const [cut, gone, altered, broken] = ['cut', 'gone', 'altered', 'broken'].map(pathOf);
	await first[Symbol.asyncDispose]();
	// Without the index every pair is one that was in flight, and is read whole.
	await rm(first.layout.index);
	await truncate(cut ?? '', 3);
	await rm(gone ?? '');
	await writeFile(altered ?? '', 'the bytes of altereD');
	await writeFile((broken ?? '').replace('.object', '.json'), '{');
	await appendFile(join(first.layout.objects, 'foreign'), 'x');
	await appendFile(join(first.layout.objects, '0000000000ff.object'), 'x');
	await appendFile(join(first.layout.incoming, 'part'), 'x');
	const second = await withObjectCache(t, {directory});
	t.is(await assertSound(t, second), 1);
	t.truthy(await readCached(second, '/streamverse/good.m4s'));
});

test('a row whose file was cut or removed behind its back is dropped at start', async (t) => {
	const directory = await withDirectory(t);
	const first = await withObjectCache(t, {directory});
	const cut = await commitBytes(first, '/streamverse/cut.m4s', Buffer.from('cut'));
	const gone = await commitBytes(first, '/streamverse/gone.m4s', Buffer.from('gone'));
	await first[Symbol.asyncDispose]();
	await truncate(cut.filePath, 1);
	await rm(gone.filePath);
	const second = await withObjectCache(t, {directory});
	t.is(await assertSound(t, second), 0);
});
