import {randomBytes} from 'node:crypto';
import test from 'ava';
import {objectUriOfPath} from '#appliance/contract/object-uri.ts';
import type {ArrivingObject} from '#stb/serve/arrivals.ts';
import {commitBytes, sha256Of} from '#test/helper/with-object-cache.ts';
import {withOriginServer} from '#test/helper/with-origin-server.ts';
import {withServing} from '#test/helper/with-serving.ts';

const uri = objectUriOfPath('/streamverse/release/x');
const onlyCached = {'cache-control': 'max-stale, Only-If-Cached'};

/** An object with two runs that are there. */
const arrivingIn = (bytes: Buffer, runs: readonly (readonly [number, number])[]): ArrivingObject => ({
	uri,
	sizeBytes: bytes.length,
	contentType: 'application/octet-stream',
	sha256: sha256Of(bytes),
	heldRange: ({start, end}) => {
		const run = runs.find(([from, to]) => to >= start && from <= end);
		return run && {start: Math.max(run[0], start), end: Math.min(run[1], end)};
	},
	async *read({start, end}) {
		await Promise.resolve();
		yield bytes.subarray(start, end + 1);
	},
});

test('only-if-cached gives of an arriving object the first run that is there, and 504 where there is none', async (t) => {
	const {url, arriving} = await withServing(t);
	const bytes = randomBytes(1000);
	arriving.set(
		uri,
		arrivingIn(bytes, [
			[100, 299],
			[600, 999],
		]),
	);
	const ask = async (range: string): Promise<Response> =>
		await fetch(`${url}release/x`, {headers: {...onlyCached, range: `bytes=${range}`}});
	const first = await ask('0-999');
	t.is(first.status, 206);
	t.is(first.headers.get('content-range'), 'bytes 100-299/1000');
	t.deepEqual(Buffer.from(await first.arrayBuffer()), bytes.subarray(100, 300));
	const second = await ask('300-799');
	t.is(second.headers.get('content-range'), 'bytes 600-799/1000');
	await second.body?.cancel();
	const none = await ask('300-599');
	t.is(none.status, 504);
	t.is((await fetch(`${url}release/x`, {headers: onlyCached})).status, 504);
});

test('only-if-cached never asks the origin, and gives what the cache has', async (t) => {
	const origin = await withOriginServer(t);
	const {url, cache} = await withServing(t, {baseUrls: [origin.url]});
	t.is((await fetch(`${url}release/x`, {headers: onlyCached})).status, 504);
	t.is(origin.requests.length, 0);
	await commitBytes(cache, '/streamverse/release/x', randomBytes(10));
	const answer = await fetch(`${url}release/x`, {headers: {...onlyCached, range: 'bytes=2-5'}});
	t.is(answer.status, 206);
	t.is((await answer.arrayBuffer()).byteLength, 4);
	t.is(origin.requests.length, 0);
});
