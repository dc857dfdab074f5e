import {createHash} from 'node:crypto';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {buffer} from 'node:stream/consumers';
import {inspect} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {objectStoreSettingsSchema} from '#ota/fleet/object/object-store.ts';
import {createS3Objects} from '#ota/fleet/object/s3-objects.ts';
import {freePort} from '#test/helper/free-port.ts';
import {withS3} from '#test/helper/with-s3.ts';

const secret = 'Zt7-a-secret-access-key';
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const keys = {region: 'us-east-1', accessKeyId: 'access-key', secretAccessKey: secret};

/** A store that answers as told, and what it was asked. */
const withStore = async (t: ExecutionContext, answer: (asked: number, response: ServerResponse) => void) => {
	const asked: {readonly request: IncomingMessage; readonly body: Buffer}[] = [];
	const server = createServer((request, response) => {
		void buffer(request).then((body) => {
			asked.push({request, body});
			answer(asked.length, response);
		});
	}).listen(0, '127.0.0.1');
	await new Promise((resolve) => server.once('listening', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return {url, asked, objects: createS3Objects({...keys, url: `${url}/bucket`})};
};

test('an object is put, measured, read by ranges, overwritten and removed', async (t) => {
	const objects = createS3Objects(await withS3(t));
	const read = (start: number, end: number) =>
		buffer(objects.read('a/b', {start, end}, {signal: AbortSignal.timeout(10_000)}));
	t.is(await objects.size('a/b'), undefined);
	for (const bytes of [Buffer.from('0123456789'), Buffer.from('0123456789abc')]) {
		await objects.put('a/b', {body: bytes, sha256: digest(bytes)});
		t.is(await objects.size('a/b'), bytes.length);
		t.is(String(await read(2, 5)), '2345');
	}
	await t.throwsAsync(read(0, 13), {code: 'OTA_OBJECT_STORE_FAILED', message: /13 bytes instead of 14/u});
	await objects.remove('a/b');
	await objects.remove('a/b');
	t.is(await objects.size('a/b'), undefined);
});

test('a store that points elsewhere is not followed: what boxes sent stays where it was meant to go', async (t) => {
	const elsewhere = await withStore(t, (_asked, response) => response.end());
	const {objects} = await withStore(t, (_asked, response) =>
		response.writeHead(307, {Location: `${elsewhere.url}/bucket/key`}).end(),
	);
	const body = Buffer.from('a capture');
	await t.throwsAsync(objects.put('key', {body, sha256: digest(body)}), {
		...{code: 'OTA_OBJECT_STORE_FAILED', message: /it answered 307/u},
	});
	await t.throwsAsync(objects.size('key'), {code: 'OTA_OBJECT_STORE_FAILED'});
	t.is(elsewhere.asked.length, 0);
});

test('a store that is busy is asked again with all bytes, one that refuses is not', async (t) => {
	const busy = await withStore(t, (asked, response) => response.writeHead(asked < 3 ? 503 : 200).end());
	const body = Buffer.from('all of it');
	await busy.objects.put('key', {body, sha256: digest(body)});
	t.deepEqual(
		busy.asked.map((each) => String(each.body)),
		['all of it', 'all of it', 'all of it'],
	);
	t.is(busy.asked[0]?.request.headers['x-amz-content-sha256'], digest(body));
	const refusing = await withStore(t, (_asked, response) => response.writeHead(403).end());
	await t.throwsAsync(refusing.objects.remove('key'), {code: 'OTA_OBJECT_STORE_FAILED', message: /403/u});
	t.is(refusing.asked.length, 1);
});

test('a secret is in no request and in no error', async (t) => {
	const {objects, asked} = await withStore(t, (_asked, response) => response.writeHead(403).end(secret));
	const away = createS3Objects({...keys, url: `http://127.0.0.1:${await freePort()}/bucket`});
	const body = Buffer.from('x');
	for (const store of [objects, away]) {
		for (const fails of [store.size('k'), store.remove('k'), store.put('k', {body, sha256: digest(body)})]) {
			const error = await t.throwsAsync(fails, {code: 'OTA_OBJECT_STORE_FAILED'});
			const told = inspect(error, {depth: 9, showHidden: true});
			t.false(told.includes(secret));
			t.notRegex(told, /Signature=/u);
		}
	}
	t.is(asked.length, 3);
	t.false(asked.some(({request}) => JSON.stringify([request.url, request.rawHeaders]).includes(secret)));
});

test('a URL that holds credentials or a query is refused, and not repeated', (t) => {
	for (const url of [`https://key:${secret}@s3.example/bucket`, `https://s3.example/bucket?token=${secret}`]) {
		const parsed = objectStoreSettingsSchema.safeParse({...keys, url});
		t.false(parsed.success);
		t.false(String(parsed.error?.message).includes(secret));
	}
	t.true(objectStoreSettingsSchema.safeParse({...keys, url: 'https://s3.example/bucket/folder'}).success);
});
