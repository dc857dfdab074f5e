import {randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {tagOf, withAssembler} from '#test/helper/with-assembler.ts';
import {commitBytes} from '#test/helper/with-object-cache.ts';

const uri = 'http://dvb.gw/streamverse/vod/a.m4s';
const bytes = randomBytes(1000);
const digest = tagOf(bytes).slice(1, -1);
const hourMs = 3_600_000;

test('an object that the carousel still lists is asked about before it expires, and its expiry extended in place', async (t) => {
	let nowMs = 1000;
	const clock = {nowMs: Date.now, monotonicMs: () => nowMs};
	const {receiver, say, stored, assembler, cache} = await withAssembler(t, {clock});
	const object = receiver.object({contentLocation: uri, sha256: digest});
	say({kind: 'appeared', object}, receiver.complete(object, bytes));
	await stored(uri);
	const endsMs = Date.now() + hourMs;
	await cache.remove(uri);
	await commitBytes(cache, '/streamverse/vod/a.m4s', bytes, {expiresMs: endsMs});
	assembler.reconsider();
	t.deepEqual(receiver.forgotten, [], 'not at every look');
	nowMs += hourMs;
	assembler.reconsider();
	t.deepEqual(receiver.forgotten, [object.toi]);
	const again = receiver.object({contentLocation: uri, sha256: digest});
	say({kind: 'appeared', object: again});
	t.deepEqual(receiver.dropped, [again.id]);
	await eventually('it is renewed', () => (cache.peek(uri)?.expiresMs ?? 0) > endsMs + 20 * hourMs);
	const {filePath = ''} = cache.peek(uri) ?? {};
	const sidecar: unknown = JSON.parse(await readFile(filePath.replace(/object$/u, 'json'), 'utf8'));
	t.like(sidecar, {expiresMs: cache.peek(uri)?.expiresMs}, 'a power cut does not bring the old expiry back');
	nowMs += hourMs;
	assembler.reconsider();
	t.deepEqual(receiver.forgotten, [object.toi]);
});

test('a full disk makes the cache give something of less worth up', async (t) => {
	const {receiver, say, cache} = await withAssembler(t, {budgetBytes: 1_100_000});
	await commitBytes(cache, '/streamverse/old.m4s', randomBytes(900_000), {priority: 'low'});
	const object = receiver.object({contentLocation: uri, transferLength: 500_000, extension: {priority: 'high'}});
	say({kind: 'appeared', object}, {kind: 'gave-up', id: object.id, code: 'NATIVE_FLUTE_NO_SPACE', message: 'full'});
	await eventually('room was made', () => cache.stats().objects === 0);
	t.is(cache.stats().evictions, 1);
});

test('an FDT’s text that is no header makes no answer fail', async (t) => {
	const {receiver, say, stored, cache, assembler} = await withAssembler(t);
	const object = receiver.object({
		...{contentLocation: uri, contentType: 'video/mp4\nX-Evil: 1', entityTag: '"тег"', sha256: digest},
	});
	say({kind: 'appeared', object});
	t.like(assembler.list()[0]?.facts, {entityTag: undefined});
	say(receiver.complete(object, bytes));
	await stored(uri);
	t.is(cache.peek(uri)?.contentType, 'application/octet-stream');
});

test('a reader of a version that was replaced before it began gets none of the newer bytes', async (t) => {
	const {receiver, say, stored, assembler, cache} = await withAssembler(t);
	const object = receiver.object({contentLocation: uri, sha256: digest});
	say({kind: 'appeared', object}, {kind: 'progress', id: object.id, receivedBytes: 10});
	const arriving = assembler.arrivals.find(uri);
	say(receiver.complete(object, bytes));
	await stored(uri);
	await commitBytes(cache, '/streamverse/vod/a.m4s', randomBytes(1000));
	const reading = arriving?.read({start: 0, end: 999, signal: AbortSignal.timeout(20_000)})[Symbol.asyncIterator]();
	await t.throwsAsync(async () => await reading?.next(), {code: 'STB_ARRIVAL_GONE'});
});

test('a version that was read to its end after it was stored and replaced claims no room any more', async (t) => {
	const {receiver, say, assembler} = await withAssembler(t, {budgetBytes: 2_000_000});
	const large = randomBytes(900_000);
	const older = receiver.object({contentLocation: uri, transferLength: large.length});
	say({kind: 'appeared', object: older}, {kind: 'progress', id: older.id, receivedBytes: 10});
	const read = assembler.arrivals.find(uri)?.read({start: 0, end: 9, signal: AbortSignal.timeout(20_000)});
	const reading = read?.[Symbol.asyncIterator]();
	const first = reading?.next();
	say(receiver.complete(older, large));
	// The store has begun; from here on the newer version cannot stop it.
	await new Promise(setImmediate);
	const newer = receiver.object({contentLocation: uri, transferLength: 10});
	say({kind: 'appeared', object: newer});
	await eventually('the older one is stored', () => assembler.counts.received === 1);
	await first;
	t.true((await reading?.next())?.done);
	const low = receiver.object({contentLocation: `${uri}.low`, transferLength: 900_000, extension: {priority: 'low'}});
	say({kind: 'appeared', object: low});
	t.false(receiver.dropped.includes(low.id));
});
