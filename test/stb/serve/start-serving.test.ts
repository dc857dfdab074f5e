import {randomBytes} from 'node:crypto';
import test from 'ava';
import {objectUriOfPath} from '#appliance/contract/object-uri.ts';
import {eventually} from '#test/helper/eventually.ts';
import {parseMultipart} from '#test/helper/parse-multipart.ts';
import {commitBytes, readCached, sha256Of} from '#test/helper/with-object-cache.ts';
import {withOriginServer} from '#test/helper/with-origin-server.ts';
import {withServing} from '#test/helper/with-serving.ts';

const bodyOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

test('a cached object is served with ranges, its digest as ETag, and CORS', async (t) => {
	const {url, cache, serving} = await withServing(t);
	const bytes = randomBytes(300_000);
	await commitBytes(cache, '/streamverse/vod/a.m4s', bytes);
	const whole = await fetch(`${url}vod/a.m4s`);
	t.is(whole.status, 200);
	t.is(whole.headers.get('etag'), `"${sha256Of(bytes)}"`);
	t.is(whole.headers.get('streamverse-source'), 'cache');
	t.is(whole.headers.get('access-control-allow-origin'), '*');
	t.true((await bodyOf(whole)).equals(bytes));
	const parts = await fetch(`${url}vod/a.m4s`, {headers: {range: 'bytes=0-9,100000-199999,-5'}});
	t.is(parts.status, 206);
	const parsed = parseMultipart(parts.headers, await bodyOf(parts));
	t.deepEqual(
		parsed.map(({start, end}) => [start, end]),
		[
			[0, 9],
			[100_000, 199_999],
			[299_995, 299_999],
		],
	);
	t.true(parsed.every((part) => part.bytes.equals(bytes.subarray(part.start, part.end + 1))));
	t.is((await fetch(`${url}vod/a.m4s`, {headers: {'if-none-match': whole.headers.get('etag') ?? ''}})).status, 304);
	t.is((await fetch(`${url}vod/a.m4s`, {method: 'OPTIONS'})).status, 204);
	t.is((await fetch(`${url}vod/a.m4s`, {method: 'DELETE'})).status, 405);
	t.is(serving.stats().hits, 3);
});

test('two hundred players on one miss cost one request to the origin', async (t) => {
	const origin = await withOriginServer(t);
	const bytes = randomBytes(400_000);
	origin.objects.set('vod/a.m4s', bytes);
	const {url, cache, serving} = await withServing(t, {baseUrls: [origin.url], limits: {segmentsAhead: 0}});
	const bodies = await Promise.all(
		Array.from({length: 200}, async (_, index) => {
			const range = index % 2 === 0 ? {} : {range: `bytes=${index * 1000}-`};
			const response = await fetch(`${url}vod/a.m4s`, {headers: range});
			return {start: index % 2 === 0 ? 0 : index * 1000, body: await bodyOf(response)};
		}),
	);
	t.true(bodies.every(({start, body}) => body.equals(bytes.subarray(start))));
	t.deepEqual(origin.requests, ['GET /vod/a.m4s']);
	await eventually('it is cached', () => cache.peek(objectUriOfPath('/streamverse/vod/a.m4s')) !== undefined);
	t.true((await readCached(cache, '/streamverse/vod/a.m4s'))?.equals(bytes));
	t.is((await fetch(`${url}vod/a.m4s`)).headers.get('streamverse-source'), 'cache');
	t.is(serving.stats().misses + serving.stats().hits, 201);
});

test('nothing outside of the operator’s path is ever asked of an origin', async (t) => {
	const origin = await withOriginServer(t);
	const {serving} = await withServing(t, {baseUrls: [origin.url]});
	for (const path of [
		'/other/a',
		'/streamverse',
		'/',
		'/streamverse/../other/a',
		'//evil.example/a',
		'/streamverse/%2e%2e/a',
	]) {
		t.is((await fetch(serving.url + path)).status, 404, path);
	}
	t.is((await fetch(`${serving.url}/streamverse/a%00b`)).status, 400);
	t.is((await fetch(`${serving.url}/streamverse/%zz`)).status, 400);
	t.deepEqual(origin.requests, []);
});

test('a 404 is believed for a moment, and the object is found when it appears', async (t) => {
	const origin = await withOriginServer(t);
	const {url} = await withServing(t, {baseUrls: [origin.url], limits: {negativeMs: 5000}});
	t.is((await fetch(`${url}a`)).status, 404);
	t.is((await fetch(`${url}a`)).status, 404);
	t.is(origin.requests.length, 1);
	origin.objects.set('a', Buffer.from('here'));
	await eventually('it is found', async () => (await fetch(`${url}a`)).status === 200);
});

test('a silent origin costs the player the agreed time and a coded 504', async (t) => {
	const silent = await withOriginServer(t);
	silent.intercept = () => true;
	const {url} = await withServing(t, {baseUrls: [silent.url], limits: {firstByteTimeoutMs: 300}});
	const startMs = performance.now();
	const response = await fetch(`${url}a`);
	t.is(response.status, 504);
	t.is(((await response.json()) as {code: string}).code, 'STB_ORIGIN_TIMEOUT');
	t.true(performance.now() - startMs >= 290);
});

test('without any origin a miss is a coded 504 at once', async (t) => {
	const {url} = await withServing(t);
	const response = await fetch(`${url}a`);
	t.is(response.status, 504);
	t.is(((await response.json()) as {code: string}).code, 'STB_ORIGIN_NONE');
});

test('a silent first server leaves time for the second, and is asked last afterwards', async (t) => {
	const silent = await withOriginServer(t);
	const good = await withOriginServer(t);
	silent.intercept = () => true;
	good.objects.set('a', Buffer.from('one'));
	good.objects.set('b', Buffer.from('two'));
	const {url} = await withServing(t, {baseUrls: [silent.url, good.url], limits: {firstByteTimeoutMs: 8000}});
	t.is(await (await fetch(`${url}a`)).text(), 'one');
	t.is(await (await fetch(`${url}b`)).text(), 'two');
	t.is(silent.requests.length, 1);
});

test('an origin that dies in mid-body is resumed at another one with If-Range', async (t) => {
	const dying = await withOriginServer(t);
	const good = await withOriginServer(t);
	const bytes = randomBytes(500_000);
	good.objects.set('a.m4s', bytes);
	dying.intercept = (_, response) => {
		response.writeHead(200, {'content-length': bytes.length, etag: `"${sha256Of(bytes)}"`});
		response.write(bytes.subarray(0, 200_000), () => response.destroy());
		return true;
	};
	const {url, cache} = await withServing(t, {baseUrls: [dying.url, good.url], limits: {segmentsAhead: 0}});
	t.true((await bodyOf(await fetch(`${url}a.m4s`))).equals(bytes));
	t.is(good.requests.length, 1);
	t.regex(good.requests[0] ?? '', /^GET \/a\.m4s bytes=\d+-$/u);
	await eventually('it is cached', () => cache.peek(objectUriOfPath('/streamverse/a.m4s')) !== undefined);
});

test('corrupt bytes never look whole, and are not kept', async (t) => {
	const origin = await withOriginServer(t);
	const bytes = randomBytes(200_000);
	origin.intercept = (_, response) => {
		response.writeHead(200, {'content-length': bytes.length, etag: `"${'0'.repeat(64)}"`}).end(bytes);
		return true;
	};
	const {url, cache} = await withServing(t, {baseUrls: [origin.url]});
	await t.throwsAsync(async () => await bodyOf(await fetch(`${url}a`)));
	t.is(cache.stats().objects, 0);
});

test('a stale manifest is asked for again, and serves when nobody answers', async (t) => {
	const origin = await withOriginServer(t);
	const {url, cache} = await withServing(t, {baseUrls: [origin.url]});
	await commitBytes(cache, '/streamverse/live/m.mpd', Buffer.from('old'), {freshUntilMs: Date.now() - 1});
	origin.objects.set('live/m.mpd', Buffer.from('new'));
	const fresh = await fetch(`${url}live/m.mpd`);
	t.is(await fresh.text(), 'new');
	t.is(fresh.headers.get('cache-control'), 'no-cache');
	await commitBytes(cache, '/streamverse/live/n.mpd', Buffer.from('old'), {freshUntilMs: Date.now() - 1});
	origin.intercept = (request) => {
		request.socket.destroy();
		return true;
	};
	const stale = await fetch(`${url}live/n.mpd`);
	t.is(stale.status, 200);
	t.is(stale.headers.get('streamverse-source'), 'stale');
	t.is(await stale.text(), 'old');
});

test('an object for which the box has no room still plays', async (t) => {
	const origin = await withOriginServer(t);
	const bytes = randomBytes(300_000);
	origin.objects.set('big.mp4', bytes);
	const {url, cache} = await withServing(t, {baseUrls: [origin.url], cacheOptions: {budgetBytes: 100_000}});
	t.true((await bodyOf(await fetch(`${url}big.mp4`))).equals(bytes));
	const part = await fetch(`${url}big.mp4`, {headers: {range: 'bytes=10-19'}});
	t.is(part.status, 206);
	t.true((await bodyOf(part)).equals(bytes.subarray(10, 20)));
	t.is(cache.stats().objects, 0);
});

test('a player that starts far into a file has its range fetched beside the whole', async (t) => {
	const origin = await withOriginServer(t);
	const bytes = randomBytes(900_000);
	origin.objects.set('film.mp4', bytes);
	let release: () => void = () => undefined;
	origin.intercept = (request, response) => {
		if (request.headers.range === undefined) {
			response.writeHead(200, {'content-length': bytes.length, etag: `"${sha256Of(bytes)}"`});
			response.write(bytes.subarray(0, 1000));
			release = () => response.end(bytes.subarray(1000));
			return true;
		}
		return false;
	};
	const {url, cache} = await withServing(t, {baseUrls: [origin.url], limits: {jumpBytes: 100_000, segmentsAhead: 0}});
	const tail = await fetch(`${url}film.mp4`, {headers: {range: 'bytes=-1000'}});
	t.true((await bodyOf(tail)).equals(bytes.subarray(-1000)));
	release();
	await eventually('the whole is cached', () => cache.peek(objectUriOfPath('/streamverse/film.mp4')) !== undefined);
	t.is(origin.requests.filter((line) => !line.includes('bytes=')).length, 1);
});
