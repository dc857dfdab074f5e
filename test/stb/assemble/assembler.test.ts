import {randomBytes} from 'node:crypto';
import {readdir} from 'node:fs/promises';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {tagOf, withAssembler} from '#test/helper/with-assembler.ts';
import {withHttpHandler} from '#test/helper/with-http-handler.ts';

const uri = 'http://dvb.gw/streamverse/vod/a.m4s';
const bytes = randomBytes(1000);
const digest = tagOf(bytes).slice(1, -1);

test('a whole object is committed with what the FDT says of it', async (t) => {
	const {receiver, say, stored, cache, assembler} = await withAssembler(t);
	const object = receiver.object({
		...{contentLocation: uri, contentType: 'video/mp4', sha256: digest, cacheExpiresMs: 9e12},
		extension: {priority: 'high', expires: '5000000000'},
	});
	say({kind: 'appeared', object}, receiver.complete(object, bytes));
	t.deepEqual(await stored(uri), bytes);
	t.like(cache.peek(uri), {
		...{contentType: 'video/mp4', priority: 'high', source: 'multicast', sha256: digest, freshUntilMs: 9e12},
		expiresMs: (5_000_000_000 - 2_208_988_800) * 1000,
	});
	t.like(assembler.counts, {received: 1, repaired: 0, failed: 0});
	t.deepEqual(await readdir(cache.layout.incoming), []);
});

test('a gzip object is stored as its identity bytes, and refused when they are not those described', async (t) => {
	const {receiver, say, stored, assembler, cache} = await withAssembler(t);
	const packed = gzipSync(bytes);
	const facts = {contentEncoding: 'gzip', contentLength: bytes.length, transferLength: packed.length};
	const good = receiver.object({contentLocation: uri, entityTag: tagOf(bytes), ...facts});
	const bad = receiver.object({contentLocation: `${uri}.bad`, entityTag: tagOf(packed), ...facts});
	const bomb = receiver.object({contentLocation: `${uri}.bomb`, ...facts, contentLength: 10});
	const broken = receiver.object({contentLocation: `${uri}.broken`, ...facts});
	say(...[good, bad, bomb, broken].map((object) => ({kind: 'appeared', object}) as const));
	say(receiver.complete(good, packed), receiver.complete(bad, packed), receiver.complete(bomb, packed));
	say(receiver.complete(broken, packed.subarray(0, 100)));
	t.deepEqual(await stored(uri), bytes);
	t.is(await stored(`${uri}.bad`), undefined);
	t.is(await stored(`${uri}.bomb`), undefined);
	t.is(await stored(`${uri}.broken`), undefined);
	t.like(assembler.counts, {received: 1, failed: 3});
	t.deepEqual(await readdir(cache.layout.incoming), []);
});

test('signalling is read and not kept; titles are read and kept', async (t) => {
	const {receiver, say, stored, signalling, cache} = await withAssembler(t);
	const bootstrap = receiver.object({contentLocation: 'urn:dvb:bootstrap', transferLength: 4});
	const titles = receiver.object({
		contentLocation: 'http://dvb.gw/streamverse/signalling/titles.json',
		transferLength: 2,
	});
	say({kind: 'appeared', object: bootstrap}, receiver.complete(bootstrap, Buffer.from('<x/>')));
	say({kind: 'appeared', object: titles}, receiver.complete(titles, Buffer.from('{}')));
	t.is((await stored(titles.contentLocation))?.toString(), '{}');
	await eventually('both are read', () => signalling.length === 2);
	t.deepEqual(signalling.toSorted(), [`${titles.contentLocation} {}`, 'urn:dvb:bootstrap <x/>']);
	t.is(cache.peek('urn:dvb:bootstrap'), undefined);
});

for (const contentLocation of [
	'http://evil.example/streamverse/a',
	'file:///etc/passwd',
	'../../etc/passwd',
	'http://dvb.gw/streamverse/%00',
	'http://dvb.gw/streamverse/a\\b%5c',
	`http://dvb.gw/${'a'.repeat(2000)}`,
	'',
]) {
	test(`an object that may not be named so is dropped: ${contentLocation.slice(0, 40)}`, async (t) => {
		const {receiver, say, assembler} = await withAssembler(t);
		const object = receiver.object({contentLocation});
		say({kind: 'appeared', object});
		t.deepEqual(receiver.dropped, [object.id]);
		t.deepEqual(assembler.list(), []);
	});
}

test('what the cache has, what it cannot hold and what is expired is not received', async (t) => {
	const {receiver, say, stored} = await withAssembler(t, {budgetBytes: 2_000_000});
	const object = receiver.object({contentLocation: uri, sha256: digest});
	say({kind: 'appeared', object}, receiver.complete(object, bytes));
	await stored(uri);
	const again = receiver.object({contentLocation: uri, sha256: digest});
	const large = receiver.object({contentLocation: `${uri}.large`, transferLength: 2_000_001});
	const expired = receiver.object({contentLocation: `${uri}.expired`, extension: {expires: '3900000000'}});
	const brotli = receiver.object({contentLocation: `${uri}.br`, contentEncoding: 'br'});
	const low = receiver.object({contentLocation: `${uri}.low`, transferLength: 1_999_500, extension: {priority: 'low'}});
	const changed = receiver.object({contentLocation: uri, sha256: digest.replaceAll('a', 'b')});
	say(...[again, large, expired, brotli, low, changed].map((each) => ({kind: 'appeared', object: each}) as const));
	t.deepEqual(receiver.dropped, [again.id, large.id, expired.id, brotli.id, low.id]);
});

test('a newer transmission replaces the older one, unless a player reads it', async (t) => {
	const {receiver, say, stored, assembler} = await withAssembler(t);
	const [first, second, third] = [1, 2, 3].map(() => receiver.object({contentLocation: uri}));
	if (first === undefined || second === undefined || third === undefined) {
		throw new Error('three objects');
	}
	say({kind: 'appeared', object: first}, {kind: 'appeared', object: second});
	t.deepEqual(receiver.dropped, [first.id]);
	receiver.setHoles(second.id, [{offset: 500, length: 500}]);
	say({kind: 'progress', id: second.id, receivedBytes: 500});
	const reading = assembler.arrivals
		.find(uri)
		?.read({start: 0, end: 999, signal: AbortSignal.timeout(20_000)})
		[Symbol.asyncIterator]();
	receiver.complete(second, bytes);
	receiver.setHoles(second.id, [{offset: 500, length: 500}]);
	t.deepEqual((await reading?.next())?.value, bytes.subarray(0, 500));
	say({kind: 'appeared', object: third});
	t.deepEqual(receiver.dropped, [first.id], 'the second is being read');
	receiver.setHoles(second.id, []);
	t.deepEqual((await reading?.next())?.value, bytes.subarray(500));
	t.true((await reading?.next())?.done);
	t.deepEqual(receiver.dropped, [first.id, second.id]);
	const newest = randomBytes(1000);
	say(receiver.complete(third, newest));
	t.deepEqual(await stored(uri), newest);
});

test('a gzip object with holes is fetched whole and checked', async (t) => {
	const url = await withHttpHandler(t, (request, response) => {
		t.is(request.headers.range, undefined);
		response.end(request.url?.endsWith('.bad') === true ? 'other' : bytes);
	});
	const {receiver, say, stored, assembler, cache} = await withAssembler(t, {repairUrl: url});
	const facts = {contentEncoding: 'gzip', contentLength: bytes.length, transferLength: 800, entityTag: tagOf(bytes)};
	const good = receiver.object({contentLocation: uri, ...facts});
	const bad = receiver.object({contentLocation: `${uri}.bad`, ...facts});
	say({kind: 'appeared', object: good}, {kind: 'appeared', object: bad});
	say({kind: 'ended', id: good.id, missingBytes: 100}, {kind: 'ended', id: bad.id, missingBytes: 100});
	t.deepEqual(await stored(uri), bytes);
	t.like(cache.peek(uri), {source: 'repaired', sha256: digest});
	t.deepEqual(receiver.dropped, [good.id]);
	await eventually('the bad one is no longer repaired', () =>
		assembler.list().every(({state}) => state.kind === 'receiving'),
	);
	t.is(cache.peek(`${uri}.bad`), undefined);
	t.deepEqual(await readdir(cache.layout.incoming), []);
});

test('an evicted object is received again when there is room, and a failed one after a while', async (t) => {
	let nowMs = 1000;
	const clock = {nowMs: Date.now, monotonicMs: () => nowMs};
	const {receiver, say, stored, assembler, cache} = await withAssembler(t, {clock});
	const object = receiver.object({contentLocation: uri, sha256: digest});
	const lost = receiver.object({contentLocation: `${uri}.lost`});
	say({kind: 'appeared', object}, receiver.complete(object, bytes), {kind: 'appeared', object: lost});
	say({kind: 'gave-up', id: lost.id, code: 'NATIVE_FLUTE_NO_SPACE', message: 'full'});
	await stored(uri);
	assembler.reconsider();
	t.deepEqual(receiver.forgotten, []);
	await cache.remove(uri);
	assembler.reconsider();
	t.deepEqual(receiver.forgotten, [object.toi]);
	nowMs += 60_000;
	assembler.reconsider();
	assembler.reconsider();
	t.deepEqual(receiver.forgotten, [object.toi, lost.toi]);
});

test('a live object of which nothing came is repaired once its time is over; others are waited for', async (t) => {
	let nowMs = 1000;
	const asked: string[] = [];
	const url = await withHttpHandler(t, (request, response) => {
		asked.push(request.url ?? '');
		response.writeHead(404).end();
	});
	const clock = {nowMs: Date.now, monotonicMs: () => nowMs};
	const {receiver, say, assembler} = await withAssembler(t, {repairUrl: url, clock});
	const live = receiver.object({contentLocation: `${uri}.live`, extension: {priority: 'live'}});
	const film = receiver.object({contentLocation: `${uri}.film`});
	say({kind: 'appeared', object: live}, {kind: 'appeared', object: film});
	assembler.reconsider();
	nowMs += 10_000;
	assembler.reconsider();
	await eventually('the live object is asked for', () => asked.length > 0);
	t.true(asked.every((path) => path === '/vod/a.m4s.live'));
	t.is(assembler.arrivals.find(`${uri}.film`), undefined, 'what has not begun is not on its way');
});

test('the receiver’s own failure is told', async (t) => {
	const {say, signalling} = await withAssembler(t);
	say({kind: 'failed', code: 'NATIVE_X', message: 'gone'});
	t.deepEqual(signalling, ['failed NATIVE_X']);
});

test('what was listed and never sent, or replaced, is no failure; what was begun and given up is', async (t) => {
	const {receiver, say, assembler} = await withAssembler(t);
	const [unsent, replaced, begun] = ['unsent', 'replaced', 'begun'].map((name) =>
		receiver.object({contentLocation: `${uri}.${name}`}),
	);
	for (const object of [unsent, replaced, begun]) {
		if (object !== undefined) {
			say({kind: 'appeared', object});
		}
	}
	const gaveUp = (id = 0, code = '') => ({kind: 'gave-up', id, code, message: ''}) as const;
	say({kind: 'progress', id: begun?.id ?? 0, receivedBytes: 10});
	say(gaveUp(unsent?.id, 'NATIVE_FLUTE_EXPIRED'), gaveUp(replaced?.id, 'NATIVE_FLUTE_REPLACED'));
	t.is(assembler.counts.failed, 0);
	say(gaveUp(begun?.id, 'NATIVE_FLUTE_EXPIRED'));
	t.is(assembler.counts.failed, 1);
});
