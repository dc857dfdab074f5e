import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {errorCode} from '#appliance/error/coded-error.ts';
import {commitBytes, readCached, sha256Of, withObjectCache} from '#test/helper/with-object-cache.ts';
import {withOriginServer} from '#test/helper/with-origin-server.ts';
import {withServing} from '#test/helper/with-serving.ts';
import {withSmallDisk} from '#test/helper/with-small-disk.ts';

const diskBytes = 24 * 1024 * 1024;

test('on a disk smaller than its budget the cache evicts, refuses with a code, and goes on', async (t) => {
	const {directory, mounted, budgetBytes} = await withSmallDisk(t, diskBytes);
	const cache = await withObjectCache(t, {directory, budgetBytes});
	let refused = 0;
	for (let index = 0; index < 40; index++) {
		const bytes = Buffer.alloc(1_500_000, index);
		const fits = await cache.makeRoom(bytes.length);
		try {
			await commitBytes(cache, `/streamverse/${index}.m4s`, bytes);
			t.true((await readCached(cache, `/streamverse/${index}.m4s`))?.equals(bytes));
		} catch (error) {
			t.true(['ENOSPC', 'STB_CACHE_FULL'].includes(errorCode(error) ?? ''), String(error));
			refused += 1;
		}
		t.true(fits);
	}
	t.log(refused, cache.stats());
	t.true(cache.stats().evictions > 15);
	t.true(refused < 5);
	t.false(await cache.makeRoom(2 * diskBytes));
	for (const object of cache.list({limit: 100})) {
		const path = new URL(object.uri).pathname;
		t.is(sha256Of((await readCached(cache, path)) ?? Buffer.alloc(0)), object.sha256);
	}
	if (mounted) {
		// Somebody else fills the disk to the last block: the sidecar has no room until the cache gives something up.
		await t.throwsAsync(writeFile(join(directory, 'filler'), Buffer.alloc(diskBytes)), {code: 'ENOSPC'});
		await t.notThrowsAsync(cache.makeRoom(100_000));
	}
});

test('a miss on a full disk still plays', async (t) => {
	const {directory, budgetBytes} = await withSmallDisk(t, diskBytes);
	const origin = await withOriginServer(t);
	const bytes = Buffer.alloc(26 * 1024 * 1024, 3);
	origin.objects.set('big.mp4', bytes);
	const {url, cache} = await withServing(t, {
		baseUrls: [origin.url],
		cacheOptions: {directory, budgetBytes},
	});
	t.true(Buffer.from(await (await fetch(`${url}big.mp4`)).arrayBuffer()).equals(bytes));
	t.is(cache.stats().objects, 0);
});
