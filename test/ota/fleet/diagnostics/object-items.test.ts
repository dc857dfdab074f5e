import {createHash, randomBytes} from 'node:crypto';
import {Readable} from 'node:stream';
import {buffer, text} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {findItem, insertItem, noteFailed} from '#ota/fleet/diagnostics/diagnostics-repository.ts';
import {createDiskItems} from '#ota/fleet/diagnostics/disk-items.ts';
import type {ItemStore} from '#ota/fleet/diagnostics/item-store.ts';
import {createObjectItems} from '#ota/fleet/diagnostics/object-items.ts';
import {insertPart, listOrphans, listParts} from '#ota/fleet/diagnostics/part-repository.ts';
import type {ObjectStore} from '#ota/fleet/object/object-store.ts';
import {createS3Objects} from '#ota/fleet/object/s3-objects.ts';
import {openFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type TestFleetContext, withFleetContext} from '#test/helper/with-fleet-context.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';
import {withS3} from '#test/helper/with-s3.ts';

const partBytes = 1000;

const awaitItem = async (context: TestFleetContext, id: string, kind = 'bundle') => {
	const nowMs = context.clock.nowMs();
	await insertItem(context.store.database, {
		...{id, box: 'box-1', kind, state: 'requested', actor: 'test', created_ms: nowMs, ready_ms: null},
		...{size_bytes: 0, file_name: 'x', error: null, deadline_ms: nowMs + 60_000, expires_ms: nowMs + 1e9},
	});
};

/** Two servers of one fleet, each with a connection of its own to one database and one S3. */
const withTwoStores = async (t: ExecutionContext, engine: (typeof databaseEngines)[number] = 'sqlite') => {
	const context = await withFleetContext(t, engine);
	const objects = createS3Objects(await withS3(t));
	const other = await openFleetDatabase({url: context.url});
	t.teardown(async () => await other[Symbol.asyncDispose]());
	const [directory, otherDirectory] = [await withDirectory(t), await withDirectory(t)];
	const older = createDiskItems({directory});
	const first = createObjectItems({objects, database: context.store.database, older, partBytes});
	const second = createObjectItems({
		...{objects, database: other.database, partBytes},
		older: createDiskItems({directory: otherDirectory}),
	});
	return {context, objects, older, first, second};
};

function* chunksOf(bytes: Buffer, breaks: boolean): Generator<Buffer, void, void> {
	for (let start = 0; start < bytes.length; start += 300) {
		yield bytes.subarray(start, start + 300);
	}
	if (breaks) {
		throw new Error('the line broke');
	}
}

const bodyOf = (bytes: Buffer, breaks = false): AsyncIterable<Buffer> => Readable.from(chunksOf(bytes, breaks));

const read = async (items: ItemStore, id: string): Promise<Buffer | undefined> => {
	const stored = await items.open(id);
	return stored === undefined ? undefined : await buffer(stored.body());
};

for (const engine of databaseEngines) {
	test(`an upload that breaks on one server goes on at another, to the byte (${engine})`, async (t) => {
		const {context, objects, first, second} = await withTwoStores(t, engine);
		await awaitItem(context, 'upload-moves');
		const whole = randomBytes(5000);
		await t.throwsAsync(first.append('upload-moves', {offsetBytes: 0, body: bodyOf(whole.subarray(0, 2345), true)}), {
			message: 'the line broke',
		});
		t.is(await second.receivedBytes('upload-moves'), 2345);
		t.is(await second.append('upload-moves', {offsetBytes: 2345, body: bodyOf(whole.subarray(2345))}), 5000);
		t.is(await first.digest('upload-moves'), createHash('sha256').update(whole).digest('hex'));
		t.deepEqual(await read(first, 'upload-moves'), whole);
		t.deepEqual(await read(second, 'upload-moves'), whole);
		const keys = (await listParts(context.store.database, 'upload-moves')).map(({key}) => key);
		await second.remove('upload-moves');
		t.deepEqual(await Promise.all(keys.map((key) => objects.size(key))), Array(keys.length).fill(undefined));
		t.is(await read(first, 'upload-moves'), undefined);
	});

	test(`of two servers that go on at the same place, one is refused and leaves nothing (${engine})`, async (t) => {
		const {context, first, second} = await withTwoStores(t, engine);
		await awaitItem(context, 'upload-races');
		const bytes = randomBytes(700);
		const done = await Promise.allSettled(
			[first, second, first, second].map((items) =>
				items.append('upload-races', {offsetBytes: 0, body: bodyOf(bytes)}),
			),
		);
		t.is(done.filter(({status}) => status === 'fulfilled').length, 1);
		for (const result of done) {
			t.is(result.status === 'rejected' ? result.reason.code : 'OTA_UPLOAD_OFFSET', 'OTA_UPLOAD_OFFSET');
		}
		t.is((await listParts(context.store.database, 'upload-races')).length, 1);
		t.deepEqual(await read(second, 'upload-races'), bytes);
	});

	test(`what one server recorded until it died is read at another (${engine})`, async (t) => {
		const {context, first, second} = await withTwoStores(t, engine);
		await awaitItem(context, 'recording-cut', 'recording');
		const sink = await first.record('recording-cut');
		const line = `${'x'.repeat(99_999)}\n`;
		for (let count = 1; count <= 5; count++) {
			await sink.append(line);
			const stored = await second.open('recording-cut');
			t.is(stored?.sizeBytes, count * line.length);
		}
		const stored = await second.open('recording-cut');
		await sink.append('what comes later\n');
		t.is(await text(stored?.body() ?? Readable.from([])), line.repeat(5), 'as long as was promised');
		const parts = await listParts(context.store.database, 'recording-cut');
		t.deepEqual(
			parts.map(({size_bytes}) => size_bytes),
			[3 * line.length, 2 * line.length + 17],
		);
		t.like(await findItem(context.store.database, 'recording-cut'), {
			state: 'receiving',
			size_bytes: 5 * line.length + 17,
		});
	});
}

test('what the store did not take of a recording goes with what follows', async (t) => {
	const {context, objects, second, older} = await withTwoStores(t);
	await awaitItem(context, 'recording-gap', 'recording');
	let fails = true;
	const flaky: ObjectStore = {
		...objects,
		put: async (key, body) => (fails ? Promise.reject(new Error('no store')) : await objects.put(key, body)),
	};
	const sink = await createObjectItems({objects: flaky, database: context.store.database, older}).record(
		'recording-gap',
	);
	await t.throwsAsync(sink.append('one\n'), {message: 'no store'});
	fails = false;
	await sink.append('two\n');
	t.is(String(await read(second, 'recording-gap')), 'one\ntwo\n');
});

test('a part that arrives when its item is over counts for nothing, and what a crash left is tidied up', async (t) => {
	const {context, objects, first, second} = await withTwoStores(t);
	const {database} = context.store;
	await awaitItem(context, 'upload-over');
	const slow = Promise.withResolvers<void>();
	async function* body(): AsyncGenerator<Buffer, void, void> {
		yield Buffer.from('late');
		await slow.promise;
	}
	const appending = first.append('upload-over', {offsetBytes: 0, body: body()});
	await noteFailed(database, 'upload-over', {code: 'OTA_UPLOAD_OVER', message: 'x'});
	slow.resolve();
	await t.throwsAsync(appending, {code: 'OTA_UPLOAD_OVER'});
	t.deepEqual(await listParts(database, 'upload-over'), []);
	await insertPart(database, {key: 'diagnostics/gone/left', item: 'gone', startBytes: 0});
	await objects.put('diagnostics/gone/left', {
		body: Buffer.from('left'),
		sha256: createHash('sha256').update('left').digest('hex'),
	});
	await second.tidy();
	t.is(await objects.size('diagnostics/gone/left'), undefined);
	t.deepEqual(await listOrphans(database), []);
});

test('what lay on the disk before there was a store of objects is read and removed there', async (t) => {
	const {first, second, older} = await withTwoStores(t);
	await older.append('upload-older', {offsetBytes: 0, body: bodyOf(Buffer.from('old'))});
	await older.finish('upload-older');
	t.is(String(await read(first, 'upload-older')), 'old');
	t.is(await second.open('upload-older'), undefined, 'of the other server’s disk it knows nothing');
	await first.remove('upload-older');
	t.is(await older.open('upload-older'), undefined);
});

test('an item whose objects somebody cleared is not here', async (t) => {
	const {context, objects, first} = await withTwoStores(t);
	await awaitItem(context, 'upload-clear');
	await first.append('upload-clear', {offsetBytes: 0, body: bodyOf(Buffer.from('bytes'))});
	for (const {key} of await listParts(context.store.database, 'upload-clear')) {
		await objects.remove(key);
	}
	t.is(await first.open('upload-clear'), undefined);
});
