import {randomBytes} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {objectUriOfPath} from '#appliance/contract/object-uri.ts';
import {eventually} from '#test/helper/eventually.ts';
import {parseMultipart} from '#test/helper/parse-multipart.ts';
import {commitBytes, sha256Of} from '#test/helper/with-object-cache.ts';
import {withOriginServer} from '#test/helper/with-origin-server.ts';
import {withServing} from '#test/helper/with-serving.ts';

const uri = objectUriOfPath;
const bodyOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

const withNginx = async (t: ExecutionContext, options: Parameters<typeof withServing>[1] = {}) => {
	const box = await withServing(t, {dataPlane: 'nginx', ...options});
	t.is(box.serving.dataPlane, 'nginx');
	return box;
};

test('nginx itself sends what stands in the web tree', async (t) => {
	const {url, cache} = await withNginx(t);
	await commitBytes(cache, '/streamverse/vod/a.m4s', Buffer.from('a'));
	// Our process knows nothing of this file, so that only nginx can have sent it.
	await writeFile(join(cache.layout.www, 'streamverse/vod/only-nginx.m4s'), 'b');
	t.is(await (await fetch(`${url}vod/only-nginx.m4s`)).text(), 'b');
});

test('nginx and our process answer a hit alike, and a player may change between them', async (t) => {
	const {url, cache, serving} = await withNginx(t);
	const bytes = randomBytes(300_000);
	await commitBytes(cache, '/streamverse/vod/a.m4s', bytes);
	const byNginx = await fetch(`${url}vod/a.m4s`);
	t.true((await bodyOf(byNginx)).equals(bytes));
	const tag = byNginx.headers.get('etag') ?? '';
	const digestTag = `"${sha256Of(bytes)}"`;
	// Two ranges are ours to answer, for nginx does not coalesce them.
	const byUs = await fetch(`${url}vod/a.m4s`, {headers: {range: 'bytes=0-9,5-19'}});
	for (const name of [
		'etag',
		'content-type',
		'cache-control',
		'access-control-allow-origin',
		'streamverse-source',
		'x-content-type-options',
		'accept-ranges',
		'last-modified',
	]) {
		t.is(byNginx.headers.get(name), byUs.headers.get(name), name);
	}
	t.is(byNginx.headers.get('last-modified'), null);
	t.deepEqual(parseMultipart(byUs.headers, await bodyOf(byUs))[0]?.bytes, bytes.subarray(0, 20));
	for (const ifRange of [tag, digestTag]) {
		const part = await fetch(`${url}vod/a.m4s`, {headers: {range: 'bytes=100-199', 'if-range': ifRange}});
		t.is(part.status, 206, ifRange);
		t.is(part.headers.get('etag'), tag);
		t.true((await bodyOf(part)).equals(bytes.subarray(100, 200)));
		t.is((await fetch(`${url}vod/a.m4s`, {headers: {'if-none-match': ifRange}})).status, 304, ifRange);
	}
	t.is((await fetch(`${url}vod/a.m4s`, {headers: {range: 'bytes=0-1', 'if-range': '"0-0"'}})).status, 200);
	t.is((await fetch(`${url}vod/a.m4s`, {method: 'OPTIONS'})).status, 204);
	t.is((await fetch(`${url}vod/a.m4s`, {headers: {range: 'bytes=300000-'}})).status, 416);
	await eventually('the hits of nginx are counted', () => serving.stats().hits >= 8);
});

test('a replaced object is seen at once, and an evicted one is gone, behind nginx too', async (t) => {
	const {url, cache} = await withNginx(t);
	await commitBytes(cache, '/streamverse/a.m4s', Buffer.from('first'));
	const first = await fetch(`${url}a.m4s`);
	t.is(await first.text(), 'first');
	await commitBytes(cache, '/streamverse/a.m4s', Buffer.from('other'));
	const other = await fetch(`${url}a.m4s`);
	t.is(await other.text(), 'other');
	t.not(first.headers.get('etag'), other.headers.get('etag'));
	await cache.remove(uri('/streamverse/a.m4s'));
	t.is((await fetch(`${url}a.m4s`)).status, 504);
});

test('what can become stale is left to our process', async (t) => {
	const origin = await withOriginServer(t);
	const {url, cache} = await withNginx(t, {baseUrls: [origin.url]});
	await commitBytes(cache, '/streamverse/live/m.mpd', Buffer.from('old'), {
		contentType: 'application/dash+xml',
		freshUntilMs: Date.now() + 400,
	});
	const fresh = await fetch(`${url}live/m.mpd`);
	t.is(fresh.headers.get('cache-control'), 'no-cache');
	origin.objects.set('live/m.mpd', Buffer.from('new'));
	await eventually('the new one is served', async () => (await (await fetch(`${url}live/m.mpd`)).text()) === 'new');
});

test('uses that nginx saw protect an object from eviction', async (t) => {
	const {url, cache} = await withNginx(t, {cacheOptions: {budgetBytes: 1000}});
	await commitBytes(cache, '/streamverse/old.m4s', Buffer.alloc(400, 1));
	await commitBytes(cache, '/streamverse/new.m4s', Buffer.alloc(400, 2));
	const before = cache.peek(uri('/streamverse/new.m4s'))?.lastUsedMs ?? 0;
	await eventually('the use is known', async () => {
		await bodyOf(await fetch(`${url}old.m4s`));
		return (cache.peek(uri('/streamverse/old.m4s'))?.lastUsedMs ?? 0) > before;
	});
	await commitBytes(cache, '/streamverse/third.m4s', Buffer.alloc(400, 3));
	t.truthy(cache.peek(uri('/streamverse/old.m4s')));
	t.is(cache.peek(uri('/streamverse/new.m4s')), undefined);
});

test('two hundred players on one miss through nginx cost one request to the origin', async (t) => {
	const origin = await withOriginServer(t);
	const bytes = randomBytes(200_000);
	origin.objects.set('a.m4s', bytes);
	const {url} = await withNginx(t, {baseUrls: [origin.url], limits: {segmentsAhead: 0}});
	const bodies = await Promise.all(Array.from({length: 200}, async () => await bodyOf(await fetch(`${url}a.m4s`))));
	t.true(bodies.every((body) => body.equals(bytes)));
	t.is(origin.requests.length, 1);
});

test('an object whose name is one of our own in nginx shadows nothing', async (t) => {
	const {url, cache} = await withNginx(t);
	const bytes = randomBytes(1000);
	await commitBytes(cache, '/.ours', Buffer.from('evil'), {contentType: 'application/octet-stream'});
	await commitBytes(cache, '/streamverse/a.bin', bytes, {contentType: 'application/octet-stream'});
	const parts = await fetch(`${url}a.bin`, {headers: {range: 'bytes=0-9,100-109'}});
	t.is(parts.status, 206);
	t.is(parseMultipart(parts.headers, await bodyOf(parts)).length, 2);
	t.is((await fetch(`${url}none.bin`)).status, 504);
});

test('an operator whose prefix is the root itself gets a box whose own paths stay its own', async (t) => {
	const {serving, cache} = await withNginx(t, {
		origin: {objectBaseUri: 'http://dvb.gw/', baseUrls: () => []},
		mount: (router) => {
			router.get('/box/status', (context) => {
				context.body = 'ours';
			});
		},
	});
	await commitBytes(cache, '/box/status', Buffer.from('evil'), {contentType: 'application/octet-stream'});
	await commitBytes(cache, '/vod/a.m4s', Buffer.from('a'));
	t.is(await (await fetch(`${serving.url}/box/status`)).text(), 'ours');
	t.is(await (await fetch(`${serving.url}/vod/a.m4s`)).text(), 'a');
});
