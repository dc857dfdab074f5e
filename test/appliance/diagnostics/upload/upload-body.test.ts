import {randomBytes} from 'node:crypto';
import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {storeBody} from '#appliance/diagnostics/bundle/store-body.ts';
import {uploadBody} from '#appliance/diagnostics/upload/upload-body.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {seededRandom} from '#test/helper/seeded-random.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withSmallDisk} from '#test/helper/with-small-disk.ts';
import {type UploadServer, withUploadServer} from '#test/helper/with-upload-server.ts';

const bytesMax = 64 * 1024 ** 2;

const upload = async (t: ExecutionContext, server: UploadServer, url: string, bytes: Buffer, partBytes = 300_000) => {
	const directory = await withDirectory(t);
	await using body = await storeBody(Readable.from(slices(bytes)), {directory, bytesMax});
	await uploadBody({
		...{url, body, logger: silentLogger(), signal: AbortSignal.timeout(30_000), partBytes},
		tls: () => ({key: '', cert: '', ca: server.caPem}),
		backoff: {initialMs: 5, maxMs: 20},
	});
};

function* slices(bytes: Buffer): Generator<Buffer> {
	for (let start = 0; start < bytes.length; start += 50_000) {
		yield bytes.subarray(start, start + 50_000);
	}
}

test('a line that breaks again and again costs nothing but time', async (t) => {
	const server = await withUploadServer(t);
	const random = seededRandom(7);
	const bytes = randomBytes(3_000_000);
	const url = await server.await('upload-cut-1');
	const cuts = setInterval(() => {
		server.cutAfterBytes = random() < 0.7 ? Math.floor(20_000 + random() * 400_000) : undefined;
	}, 10);
	t.teardown(() => clearInterval(cuts));
	await upload(t, server, url, bytes);
	const stored = await buffer((await server.items.open('upload-cut-1'))?.body() ?? Readable.from([]));
	t.true(stored.equals(bytes));
});

test('an upload whose end was told and not heard is complete', async (t) => {
	const server = await withUploadServer(t);
	const url = await server.await('upload-done');
	const bytes = randomBytes(1000);
	await upload(t, server, url, bytes);
	await t.notThrowsAsync(upload(t, server, url, bytes));
});

test('nothing is tried again that cannot succeed', async (t) => {
	const server = await withUploadServer(t, {limits: {uploadBytesMax: 1000}});
	const url = await server.await('upload-large');
	await t.throwsAsync(upload(t, server, url, randomBytes(2000)), {code: 'DIAGNOSTICS_UPLOAD_REFUSED', message: /413/u});
	await t.throwsAsync(upload(t, server, `${server.url}/upload/never-asked`, randomBytes(10)), {
		...{code: 'DIAGNOSTICS_UPLOAD_REFUSED', message: /404/u},
	});
});

test('a disk that is full keeps no bundle back: memory holds the rest', async (t) => {
	const {directory, mounted} = await withSmallDisk(t, 200_000);
	if (!mounted) {
		t.pass('this user may not mount a small disk');
		return;
	}
	const bytes = randomBytes(1_000_000);
	await using body = await storeBody(Readable.from(slices(bytes)), {directory, bytesMax});
	t.false(body.onDisk);
	for (const offset of [0, 1, 150_000, 200_001, 999_999]) {
		const chunks: Buffer[] = [];
		for await (const chunk of body.read(offset)) {
			chunks.push(chunk);
		}
		t.true(Buffer.concat(chunks).equals(bytes.subarray(offset)), `from ${offset}`);
	}
	await t.throwsAsync(storeBody(Readable.from(slices(bytes)), {directory, bytesMax: 500_000}), {
		...{code: 'DIAGNOSTICS_TOO_LARGE'},
	});
});
