import {createHash, randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {request} from 'node:http';
import {connect} from 'node:net';
import test from 'ava';
import {catalogueChangeSchema, cataloguePageSchema} from '#appliance/contract/catalogue-schema.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';
import {eventually} from '#test/helper/eventually.ts';
import {recordingSender} from '#test/helper/recording-sender.ts';
import {withHeadend} from '#test/helper/with-headend.ts';

const sections = {catalogue: {objectBytesMax: 2_000_000, contentBytesMax: 5_000_000}};
const put = (url: string, path: string, body: Buffer | string, headers: Record<string, string> = {}) =>
	fetch(`${url}/catalogue/${path}`, {method: 'PUT', body, headers});
const codeOf = async (response: Response): Promise<unknown> => ((await response.json()) as {code: unknown}).code;
const digestOf = (bytes: Buffer): string => `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;

const headendWithoutAir = (t: Parameters<typeof withHeadend>[0]) =>
	withHeadend(t, {sections, openSender: recordingSender().open});

test('an object can be put, read whole and in ranges, listed and deleted', async (t) => {
	const {url} = await headendWithoutAir(t);
	const bytes = randomBytes(100_000);
	t.is((await put(url, 'vod/a.m4s', bytes)).status, 201);
	const whole = await fetch(`${url}/catalogue/vod/a.m4s`);
	t.deepEqual(Buffer.from(await whole.arrayBuffer()), bytes);
	t.is(whole.headers.get('ETag'), `"${createHash('sha256').update(bytes).digest('hex')}"`);
	t.is(whole.headers.get('Content-Type'), 'video/iso.segment');
	const part = await fetch(`${url}/catalogue/vod/a.m4s`, {headers: {Range: 'bytes=10-19'}});
	t.is(part.status, 206);
	t.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(10, 20));
	const head = await fetch(`${url}/catalogue/vod/a.m4s`, {method: 'HEAD'});
	t.is(head.headers.get('Content-Length'), '100000');
	t.is((await fetch(`${url}/catalogue/vod/a.m4s`, {method: 'DELETE'})).status, 204);
	t.is((await fetch(`${url}/catalogue/vod/a.m4s`)).status, 404);
	t.is((await fetch(`${url}/catalogue/vod/a.m4s`, {method: 'DELETE'})).status, 404);
});

test('the list is paged in order of paths', async (t) => {
	const {url} = await headendWithoutAir(t);
	for (const name of ['c', 'a', 'b', 'e', 'd']) {
		await put(url, name, name);
	}
	const paths: string[] = [];
	for (let after: string | undefined = ''; after !== undefined; ) {
		const page = cataloguePageSchema.parse(await (await fetch(`${url}/catalogue?limit=2&after=${after}`)).json());
		paths.push(...page.objects.map(({path}) => path));
		after = page.next;
	}
	t.deepEqual(paths, ['a', 'b', 'c', 'd', 'e']);
});

test('the same bytes again are no news', async (t) => {
	const {url} = await headendWithoutAir(t);
	const revisionOf = async (response: Response) =>
		((await response.json()) as {object: {revision: number}}).object.revision;
	const first = await revisionOf(await put(url, 'a', 'same'));
	t.is(await revisionOf(await put(url, 'a', 'same')), first);
	t.true((await revisionOf(await put(url, 'a', 'other'))) > first);
});

test('an upload that broke off goes on where it stopped', async (t) => {
	const {url} = await headendWithoutAir(t);
	const bytes = randomBytes(200_000);
	const broken = request(`${url}/catalogue/big.bin`, {
		method: 'PUT',
		headers: {'Content-Length': bytes.length, 'Repr-Digest': digestOf(bytes)},
	});
	broken.on('error', () => undefined);
	broken.write(bytes.subarray(0, 70_000));
	const status = () =>
		fetch(`${url}/catalogue/big.bin`, {
			method: 'HEAD',
			headers: {'Streamverse-Upload': 'status', 'Streamverse-Length': '200000', 'Repr-Digest': digestOf(bytes)},
		});
	await eventually(
		'the first part is written',
		async () => Number((await status()).headers.get('Streamverse-Offset')) === 70_000,
	);
	broken.destroy();
	t.is((await fetch(`${url}/catalogue/big.bin`)).status, 404);

	const range = (from: number, to: number) => ({
		'Content-Range': `bytes ${from}-${to - 1}/200000`,
		'Repr-Digest': digestOf(bytes),
	});
	const part = await eventually('the first request has ended', async () => {
		const response = await put(url, 'big.bin', bytes.subarray(70_000, 150_000), range(70_000, 150_000));
		return response.status === 202 ? response : undefined;
	});
	t.is(part.headers.get('Streamverse-Offset'), '150000');
	const gap = await put(url, 'big.bin', bytes.subarray(180_000), range(180_000, 200_000));
	t.is(gap.status, 409);
	t.is(await codeOf(gap), 'HEADEND_UPLOAD_OFFSET');
	t.is((await put(url, 'big.bin', bytes.subarray(150_000), range(150_000, 200_000))).status, 201);
	t.deepEqual(Buffer.from(await (await fetch(`${url}/catalogue/big.bin`)).arrayBuffer()), bytes);
});

test('a body shorter than promised never becomes an object', async (t) => {
	const {url} = await headendWithoutAir(t);
	const {hostname, port} = new URL(url);
	for (const head of ['Content-Length: 1000', 'Transfer-Encoding: chunked']) {
		const socket = connect({host: hostname, port: Number(port)});
		socket.resume();
		await once(socket, 'connect');
		socket.write(
			`PUT /catalogue/short HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n${head.startsWith('T') ? '5\r\nhello\r\n' : 'hello'}`,
		);
		socket.end();
		await once(socket, 'close').catch(() => undefined);
	}
	t.is((await fetch(`${url}/catalogue/short`)).status, 404);
});

test('bytes that are not those of the promised digest are refused', async (t) => {
	const {url} = await headendWithoutAir(t);
	const answer = await put(url, 'a', 'these', {'Repr-Digest': digestOf(Buffer.from('those'))});
	t.is(answer.status, 400);
	t.is(await codeOf(answer), 'HEADEND_DIGEST_MISMATCH');
	t.is((await fetch(`${url}/catalogue/a`)).status, 404);
});

test('quota and size limits are told by their own codes', async (t) => {
	const {url} = await headendWithoutAir(t);
	const large = await put(url, 'large', randomBytes(2_000_001));
	t.is(large.status, 413);
	t.is(await codeOf(large), 'HEADEND_BODY_TOO_LARGE');
	t.is((await put(url, 'one', randomBytes(2_000_000))).status, 201);
	t.is((await put(url, 'two', randomBytes(2_000_000))).status, 201);
	const full = await put(url, 'three', randomBytes(2_000_000));
	t.is(full.status, 507);
	t.is(await codeOf(full), 'HTTP_STORAGE_FULL');
	await fetch(`${url}/catalogue/one`, {method: 'DELETE'});
	t.is((await put(url, 'three', randomBytes(2_000_000))).status, 201);
});

const refusedPath = test.macro({
	exec: async (t, path: string, status: number) => {
		const {url} = await headendWithoutAir(t);
		const {hostname, port} = new URL(url);
		// Not fetch, which would tidy the path up before anybody sees it.
		const outgoing = request({host: hostname, port, path: `/catalogue/${path}`, method: 'PUT'});
		outgoing.end('x');
		const [answer] = (await once(outgoing, 'response')) as [{statusCode: number; resume: () => void}];
		answer.resume();
		t.is(answer.statusCode, status);
		const page = cataloguePageSchema.parse(await (await fetch(`${url}/catalogue`)).json());
		t.deepEqual(page.objects, []);
	},
	title: (_, path: string) => `a path like ${JSON.stringify(path.slice(0, 40))} names no object`,
});
test(refusedPath, '../../etc/passwd', 400);
test(refusedPath, 'a/../b', 400);
test(refusedPath, '%2e%2e/%2e%2e/x', 400);
test(refusedPath, 'a%2f..%2fb', 400);
test(refusedPath, 'a//b', 400);
test(refusedPath, 'a/', 400);
test(refusedPath, 'a%00b', 400);
test(refusedPath, 'a%0ab', 400);
test(refusedPath, 'a%5cb', 400);
test(refusedPath, '%zz', 400);
test(refusedPath, `${'x'.repeat(300)}`, 400);
test(refusedPath, 'signalling/titles.json', 403);
test(refusedPath, 'live/one/seg.m4s', 403);

const refusedHeader = test.macro({
	exec: async (t, name: string, value: string) => {
		const {url} = await headendWithoutAir(t);
		const answer = await put(url, 'a', 'x', {[name]: value});
		t.is(answer.status, 400);
		t.is(await codeOf(answer), 'HEADEND_HEADER_INVALID');
	},
	title: (_, name, value) => `${name}: ${value} is refused`,
});
test(refusedHeader, 'Streamverse-Priority', 'live');
test(refusedHeader, 'Streamverse-Priority', 'urgent');
test(refusedHeader, 'Streamverse-Expires', 'tomorrow');
test(refusedHeader, 'Streamverse-Expires', '2001-01-01T00:00:00Z');
test(refusedHeader, 'Streamverse-Service', 'a b');
test(refusedHeader, 'Content-Type', 'nonsense');
test(refusedHeader, 'Content-Range', 'bytes 5-2/9');
test(refusedHeader, 'Repr-Digest', 'md5=:AAAA:');

test('the feed tells what happened since a revision and then what happens', async (t) => {
	const {url} = await headendWithoutAir(t);
	await put(url, 'a', '1');
	await put(url, 'b', '2');
	await fetch(`${url}/catalogue/a`, {method: 'DELETE'});
	const stopping = new AbortController();
	const feed = await fetch(`${url}/catalogue/feed?since=1`, {signal: stopping.signal});
	t.is(feed.headers.get('Content-Type'), 'text/event-stream');
	let text = '';
	const reading = (async () => {
		for await (const chunk of (feed.body ?? []) as AsyncIterable<Uint8Array>) {
			text += Buffer.from(chunk).toString();
		}
	})().catch(() => undefined);
	const changes = () =>
		[...text.matchAll(/^data: (.*)$/gmu)].map(([, data]) => catalogueChangeSchema.parse(JSON.parse(data ?? '')));
	await eventually('the past is told', () => changes().length === 2);
	await put(url, 'c', '3');
	await eventually('the present is told', () => changes().length === 3);
	t.deepEqual(
		changes().map((change) => `${change.kind} ${change.kind === 'put' ? change.object.path : change.path}`),
		['put b', 'delete a', 'put c'],
	);
	stopping.abort();
	await reading;
});

test('what has expired leaves the catalogue', async (t) => {
	let aheadMs = 0;
	const clock: Clock = {...systemClock, nowMs: () => Date.now() + aheadMs};
	const {url} = await withHeadend(t, {sections, openSender: recordingSender().open, clock});
	const expires = new Date(Date.now() + 60_000).toISOString();
	t.is((await put(url, 'a', '1', {'Streamverse-Expires': expires})).status, 201);
	t.is((await fetch(`${url}/catalogue/a`)).status, 200);
	aheadMs = 61_000;
	await eventually('it is gone', async () => (await fetch(`${url}/catalogue/a`)).status === 404);
});
