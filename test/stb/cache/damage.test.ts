import {randomBytes} from 'node:crypto';
import {open, readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import Database from 'better-sqlite3';
import {objectUriOfPath} from '#appliance/contract/object-uri.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {commitBytes, readCached, withObjectCache} from '#test/helper/with-object-cache.ts';
import {withServing} from '#test/helper/with-serving.ts';

/** Overwrites everything behind the first page while the cache holds the file open, and makes it look again. */
const damage = async (cache: ObjectCache): Promise<void> => {
	const other = new Database(cache.layout.index);
	other.exec("CREATE TABLE another (x TEXT); INSERT INTO another VALUES ('x')");
	other.pragma('wal_checkpoint(TRUNCATE)');
	other.close();
	const {size} = await stat(cache.layout.index);
	await using handle = await open(cache.layout.index, 'r+');
	await handle.write(randomBytes(size - 4096), 0, size - 4096, 4096);
};

test('an index that breaks while the box runs is made anew, and the box serves on', async (t) => {
	const {cache, url} = await withServing(t);
	const objects = Array.from({length: 40}, (_, index) => [`/streamverse/${index}.m4s`, randomBytes(1000)] as const);
	for (const [path, bytes] of objects) {
		await commitBytes(cache, path, bytes);
	}
	await damage(cache);
	const statuses = await Promise.all(objects.map(async (_, index) => (await fetch(`${url}${index}.m4s`)).status));
	t.true(
		statuses.every((status) => status === 200 || status === 504),
		String(statuses),
	);
	await cache.healed();
	await eventually('everything is found again', () => cache.stats().objects === objects.length);
	for (const [path, bytes] of objects) {
		t.true((await readCached(cache, path))?.equals(bytes));
	}
	t.is(cache.stats().bytes, 40_000);
	await commitBytes(cache, '/streamverse/new.m4s', Buffer.from('new'));
	t.is(cache.stats().objects, 41);
	t.true((await readdir(cache.layout.directory)).includes('index.db.damaged'));
});

test('an index of a newer release is made anew instead of keeping the box from starting', async (t) => {
	const directory = await withDirectory(t);
	const cache = await withObjectCache(t, {directory});
	await commitBytes(cache, '/streamverse/a', Buffer.from('a'));
	await cache[Symbol.asyncDispose]();
	const database = new Database(join(directory, 'index.db'));
	database.pragma('user_version = 99');
	database.close();
	const older = await withObjectCache(t, {directory});
	await older.healed();
	t.truthy(older.peek(objectUriOfPath('/streamverse/a')));
});

test('rows that a full disk keeps are not counted out twice', async (t) => {
	const cache = await withObjectCache(t);
	await commitBytes(cache, '/streamverse/a', Buffer.alloc(1000));
	await commitBytes(cache, '/streamverse/b', Buffer.alloc(10));
	const blocker = new Database(cache.layout.index);
	// Deleting fails, as it does when the disk has no block left for the log.
	blocker.exec("CREATE TRIGGER full BEFORE DELETE ON object BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
	await t.throwsAsync(cache.remove(objectUriOfPath('/streamverse/a')));
	await t.throwsAsync(cache.remove(objectUriOfPath('/streamverse/a')));
	t.is(cache.stats().bytes, 1010);
	blocker.exec('DROP TRIGGER full');
	blocker.close();
	t.true(await cache.remove(objectUriOfPath('/streamverse/a')));
	t.is(cache.stats().bytes, 10);
	t.is(cache.stats().objects, 1);
});
