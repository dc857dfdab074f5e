import {randomBytes} from 'node:crypto';
import test from 'ava';
import {objectUriOfPath} from '#appliance/contract/object-uri.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {ArrivingObject} from '#stb/serve/arrivals.ts';
import {eventually} from '#test/helper/eventually.ts';
import {parseMultipart} from '#test/helper/parse-multipart.ts';
import {commitBytes, sha256Of} from '#test/helper/with-object-cache.ts';
import {withOriginServer} from '#test/helper/with-origin-server.ts';
import {withServing} from '#test/helper/with-serving.ts';

const uri = objectUriOfPath('/streamverse/a.m4s');

/** An object of which ever more bytes are there; reads wait, as those of the receiver do. */
const arrivingObject = (bytes: Buffer) => {
	let readable = 0;
	let readers = 0;
	let failed = false;
	const object: ArrivingObject = {
		uri,
		sizeBytes: bytes.length,
		contentType: 'video/iso.segment',
		sha256: sha256Of(bytes),
		async *read({start, end, signal}) {
			readers += 1;
			try {
				for (let at = start; at <= end; ) {
					signal.throwIfAborted();
					if (failed) {
						throw new CodedError('STB_ARRIVAL_GONE', {message: 'It will not come.'});
					}
					const upTo = Math.min(readable, end + 1);
					if (upTo > at) {
						yield bytes.subarray(at, upTo);
						at = upTo;
					} else {
						await new Promise((resolve) => {
							setTimeout(resolve, 5);
						});
					}
				}
			} finally {
				readers -= 1;
			}
		},
	};
	return {
		object,
		arrive: (upTo: number) => {
			readable = upTo;
		},
		fail: () => {
			failed = true;
		},
		readers: () => readers,
	};
};

test('an arriving object is read with its length, by ranges, while it comes', async (t) => {
	const {url, arriving, serving} = await withServing(t);
	const bytes = randomBytes(100_000);
	const {object, arrive} = arrivingObject(bytes);
	arriving.set(uri, object);
	const head = await fetch(`${url}a.m4s`, {method: 'HEAD'});
	t.is(head.headers.get('content-length'), '100000');
	t.is(head.headers.get('streamverse-source'), 'arriving');
	t.is(head.headers.get('etag'), `"${sha256Of(bytes)}"`);
	const whole = await fetch(`${url}a.m4s`);
	const reader = whole.body?.getReader();
	arrive(40_000);
	const first = await reader?.read();
	t.true((first?.value?.length ?? 0) > 0, 'bytes come before the object is whole');
	const range = await fetch(`${url}a.m4s`, {headers: {range: 'bytes=100-199,30000-30099'}});
	const parts = parseMultipart(range.headers, Buffer.from(await range.arrayBuffer()));
	t.true(parts.every((part) => part.bytes.equals(bytes.subarray(part.start, part.end + 1))));
	arrive(100_000);
	let received = first?.value?.length ?? 0;
	for (let step = await reader?.read(); step?.done === false; step = await reader?.read()) {
		received += step.value.length;
	}
	t.is(received, 100_000);
	t.is(serving.stats().arriving, 3);
});

test('a player that leaves ends its read, and an object that will not come breaks the connection', async (t) => {
	const {url, arriving} = await withServing(t);
	const {object, arrive, fail, readers} = arrivingObject(randomBytes(100_000));
	arriving.set(uri, object);
	arrive(1000);
	const left = new AbortController();
	const response = await fetch(`${url}a.m4s`, {signal: left.signal});
	await response.body?.getReader().read();
	t.is(readers(), 1);
	left.abort();
	await eventually('the read has ended', () => readers() === 0);
	const broken = await fetch(`${url}a.m4s`);
	fail();
	await t.throwsAsync(broken.arrayBuffer());
});

test('an arrival that is given up in mid-read goes on from the origin in the same answer', async (t) => {
	const origin = await withOriginServer(t);
	const {url, arriving} = await withServing(t, {baseUrls: [origin.url]});
	const bytes = randomBytes(100_000);
	origin.objects.set('a.m4s', bytes);
	const {object, arrive, fail} = arrivingObject(bytes);
	arriving.set(uri, object);
	arrive(40_000);
	const response = await fetch(`${url}a.m4s`, {headers: {range: 'bytes=1000-89999'}});
	t.is(response.headers.get('etag'), `"${sha256Of(bytes)}"`);
	setTimeout(fail, 50);
	t.true(Buffer.from(await response.arrayBuffer()).equals(bytes.subarray(1000, 90_000)));
	t.deepEqual(origin.requests, ['GET /a.m4s bytes=40000-89999']);
});

test('an arrival that is given up is never continued with other bytes', async (t) => {
	const origin = await withOriginServer(t);
	const {url, arriving, cache} = await withServing(t, {baseUrls: [origin.url]});
	origin.objects.set('a.m4s', randomBytes(100_000));
	await commitBytes(cache, '/streamverse/a.m4s', randomBytes(100_000), {freshUntilMs: Date.now() - 1});
	const {object, arrive, fail} = arrivingObject(randomBytes(100_000));
	arriving.set(uri, object);
	arrive(40_000);
	const response = await fetch(`${url}a.m4s`);
	setTimeout(fail, 50);
	await t.throwsAsync(response.arrayBuffer());
});

test('an arrival that is given up goes on from the cache when the same bytes lie there', async (t) => {
	const {url, arriving, cache} = await withServing(t);
	const bytes = randomBytes(100_000);
	const {object, arrive, fail} = arrivingObject(bytes);
	arriving.set(uri, object);
	arrive(40_000);
	const response = await fetch(`${url}a.m4s`);
	await commitBytes(cache, '/streamverse/a.m4s', bytes);
	fail();
	t.true(Buffer.from(await response.arrayBuffer()).equals(bytes));
});

test('the next three segments are fetched ahead, but not what is cached or arriving, nor past the end', async (t) => {
	const origin = await withOriginServer(t);
	for (let number = 1; number <= 6; number++) {
		origin.objects.set(`v/seg-${String(number).padStart(3, '0')}.m4s`, randomBytes(1000));
	}
	const {url, arriving, serving, cache} = await withServing(t, {baseUrls: [origin.url]});
	const next = objectUriOfPath('/streamverse/v/seg-003.m4s');
	arriving.set(next, {...arrivingObject(Buffer.alloc(10)).object, uri: next});
	await (await fetch(`${url}v/seg-001.m4s`)).arrayBuffer();
	await serving.idle();
	t.deepEqual(origin.requests, ['GET /v/seg-001.m4s', 'GET /v/seg-002.m4s', 'GET /v/seg-004.m4s']);
	await eventually('it is cached', () => cache.peek(objectUriOfPath('/streamverse/v/seg-002.m4s')) !== undefined);
	t.is((await fetch(`${url}v/seg-002.m4s`)).headers.get('streamverse-source'), 'cache');
	await serving.idle();
	t.is(origin.requests.at(-1), 'GET /v/seg-005.m4s');
	await (await fetch(`${url}v/seg-006.m4s`)).arrayBuffer();
	await serving.idle();
	t.deepEqual(origin.requests.slice(-2), ['GET /v/seg-006.m4s', 'GET /v/seg-007.m4s']);
	t.is(serving.stats().terrestrial.prefetched, 4);
});

test('a playlist tells which segments come next', async (t) => {
	const origin = await withOriginServer(t);
	const names = ['aa', 'qq', 'cc', 'zz', 'bb'];
	for (const name of names) {
		origin.objects.set(`v/${name}.m4s`, randomBytes(1000));
	}
	const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:4\n${names.map((name) => `#EXTINF:4,\n${name}.m4s?x=1`).join('\r\n')}\n`;
	origin.objects.set('v/list.m3u8', Buffer.from(playlist));
	const {url, serving} = await withServing(t, {baseUrls: [origin.url]});
	await (await fetch(`${url}v/list.m3u8`)).text();
	await serving.idle();
	await (await fetch(`${url}v/aa.m4s`)).arrayBuffer();
	await serving.idle();
	t.deepEqual(
		origin.requests,
		['list.m3u8', 'aa.m4s', 'qq.m4s', 'cc.m4s', 'zz.m4s'].map((name) => `GET /v/${name}`),
	);
});
