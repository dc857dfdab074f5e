import {randomBytes} from 'node:crypto';
import {get} from 'node:http';
import test from 'ava';
import {objectUriOfPath} from '#appliance/contract/object-uri.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {eventually} from '#test/helper/eventually.ts';
import {parseMultipart} from '#test/helper/parse-multipart.ts';
import {commitBytes, sha256Of} from '#test/helper/with-object-cache.ts';
import {withOriginServer} from '#test/helper/with-origin-server.ts';
import {withServing} from '#test/helper/with-serving.ts';

test('a stale manifest that still holds costs a 304, and is fresh again for as long as the origin says', async (t) => {
	const origin = await withOriginServer(t);
	const {url, cache, serving} = await withServing(t, {baseUrls: [origin.url]});
	const bytes = Buffer.from('#EXTM3U');
	await commitBytes(cache, '/streamverse/live/m.m3u8', bytes, {freshUntilMs: Date.now() - 1});
	origin.objects.set('live/m.m3u8', bytes);
	origin.extraHeaders['cache-control'] = 'max-age=50';
	const first = await fetch(`${url}live/m.m3u8`);
	t.is(await first.text(), '#EXTM3U');
	t.is(first.headers.get('streamverse-source'), 'cache');
	const freshMs = (cache.peek(objectUriOfPath('/streamverse/live/m.m3u8'))?.freshUntilMs ?? 0) - Date.now();
	t.true(freshMs > 40_000 && freshMs <= 50_000, String(freshMs));
	await (await fetch(`${url}live/m.m3u8`)).text();
	t.deepEqual(origin.requests, ['GET /live/m.m3u8']);
	t.is(serving.stats().terrestrial.bytes, 0);
	t.is(serving.stats().terrestrial.failures, 0);
});

test('several ranges of an object that may not be kept are read although its fetch has ended', async (t) => {
	const origin = await withOriginServer(t);
	const bytes = randomBytes(30_000_000);
	origin.objects.set('a.mp4', bytes);
	origin.extraHeaders['cache-control'] = 'no-store';
	const {serving, url} = await withServing(t, {baseUrls: [origin.url], limits: {segmentsAhead: 0}});
	const {headers, body} = await new Promise<{headers: Headers; body: Buffer}>((resolve, reject) => {
		get(`${url}a.mp4`, {headers: {range: 'bytes=0-19999999,25000000-25000009'}}, (response) => {
			// The player is slow: the fetch has ended when the second part is begun.
			eventually('the end of the fetch', () => serving.stats().terrestrial.bytes === bytes.length)
				.then(async () => Buffer.concat(await response.toArray()))
				.then(
					(read) => resolve({headers: new Headers(response.headers as Record<string, string>), body: read}),
					reject,
				);
		}).on('error', reject);
	});
	const parts = parseMultipart(headers, body);
	t.deepEqual(
		parts.map((part) => sha256Of(part.bytes)),
		[bytes.subarray(0, 20_000_000), bytes.subarray(25_000_000, 25_000_010)].map(sha256Of),
	);
	t.is(serving.stats().terrestrial.requests, 1);
});

/** What a player gets that takes nothing for three times as long as a server may be silent. */
const readAfterPause = (url: string): Promise<Buffer> =>
	new Promise((resolve, reject) => {
		get(url, (response) => {
			response.pause();
			sleep(1500)
				.then(async () => Buffer.concat(await response.toArray()))
				.then(resolve, reject);
		}).on('error', reject);
	});

test('a player that pauses for longer than a server may be silent is not cut off', async (t) => {
	const origin = await withOriginServer(t);
	const bytes = randomBytes(30_000_000);
	origin.objects.set('big.mp4', bytes);
	const {url} = await withServing(t, {
		baseUrls: [origin.url],
		limits: {idleTimeoutMs: 500},
		cacheOptions: {budgetBytes: 100_000},
	});
	t.is((await readAfterPause(`${url}big.mp4`)).length, bytes.length);
});

test('a server that falls silent is cut off although the player paused before', async (t) => {
	const origin = await withOriginServer(t);
	const bytes = randomBytes(30_000_000);
	origin.intercept = (_, response) => {
		response.writeHead(200, {'content-length': bytes.length}).write(bytes.subarray(0, 29_000_000));
		return true;
	};
	const {url} = await withServing(t, {
		baseUrls: [origin.url],
		limits: {idleTimeoutMs: 500},
		cacheOptions: {budgetBytes: 100_000},
	});
	await t.throwsAsync(readAfterPause(`${url}big.mp4`), {code: 'ECONNRESET'});
});

test('a dead server is set aside although another one has already said 404', async (t) => {
	const lacking = await withOriginServer(t);
	const broken = await withOriginServer(t);
	broken.intercept = (request) => {
		request.socket.destroy();
		return true;
	};
	const {url, serving} = await withServing(t, {baseUrls: [lacking.url, broken.url]});
	t.is((await fetch(`${url}a`)).status, 404);
	t.is(serving.stats().terrestrial.failures, 1);
});

test('a manifest that is stale at once is served to everyone who asks while it is being fetched', async (t) => {
	const origin = await withOriginServer(t);
	origin.objects.set('live/m.mpd', Buffer.from('<MPD/>'));
	origin.extraHeaders['cache-control'] = 'no-cache';
	const {url, cache} = await withServing(t, {baseUrls: [origin.url]});
	const ask = async (): Promise<void> => {
		for (let time = 0; time < 30; time++) {
			t.is(await (await fetch(`${url}live/m.mpd`)).text(), '<MPD/>');
		}
	};
	await Promise.all(Array.from({length: 8}, ask));
	await eventually('it is cached', () => cache.stats().objects === 1);
});
