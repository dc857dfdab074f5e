import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {readdir} from 'node:fs/promises';
import type {IncomingMessage} from 'node:http';
import {request} from 'node:https';
import test from 'ava';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {sweep} from '#ota/fleet/diagnostics/create-diagnostics-part.ts';
import {findItem, listItems} from '#ota/fleet/diagnostics/diagnostics-repository.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';
import {type UploadServer, uploadBox, withUploadServer} from '#test/helper/with-upload-server.ts';

const ask = async (
	server: UploadServer,
	method: 'HEAD' | 'PATCH' | 'GET',
	path: string,
	{headers = {}, body}: {readonly headers?: Record<string, string>; readonly body?: Buffer} = {},
) => {
	const outgoing = request(`${server.url}${path}`, {method, agent: false, ca: server.caPem, headers});
	const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
	outgoing.on('error', () => undefined);
	outgoing.end(body);
	const [answer] = await answered;
	answer.resume();
	return {status: answer.statusCode, headers: answer.headers};
};

const part = (offset: number, body: Buffer, total: number, more: Record<string, string> = {}) => ({
	body,
	headers: {
		'content-type': 'application/partial-upload',
		'content-length': String(body.length),
		'upload-offset': String(offset),
		'upload-length': String(total),
		'upload-complete': offset + body.length === total ? '?1' : '?0',
		...more,
	},
});

for (const engine of databaseEngines) {
	test(`parts gather, and are whole when their digest is right (${engine})`, async (t) => {
		const server = await withUploadServer(t, {engine});
		await server.await('upload-parts');
		const body = randomBytes(1000);
		t.like(await ask(server, 'HEAD', '/upload/upload-parts'), {status: 204, headers: {'upload-offset': '0'}});
		t.is((await ask(server, 'PATCH', '/upload/upload-parts', part(0, body.subarray(0, 400), 1000))).status, 204);
		t.like(await ask(server, 'HEAD', '/upload/upload-parts'), {
			...{status: 204, headers: {'upload-offset': '400', 'upload-complete': '?0'}},
		});
		t.like(await findItem(server.context.store.database, 'upload-parts'), {state: 'receiving', size_bytes: 400});
		t.is((await ask(server, 'PATCH', '/upload/upload-parts', part(300, body.subarray(300), 1000))).status, 409);
		t.is((await ask(server, 'PATCH', '/upload/upload-parts', part(400, body.subarray(400), 1000))).status, 204);
		t.like(await findItem(server.context.store.database, 'upload-parts'), {state: 'ready', size_bytes: 1000});
		t.is((await ask(server, 'PATCH', '/upload/upload-parts', part(1000, Buffer.alloc(0), 1000))).status, 409);
		const {items, nextCursor} = await listItems(server.context.store.database, {box: uploadBox, limit: 1});
		t.is(items[0]?.id, 'upload-parts');
		t.is(nextCursor, undefined);
	});

	test(`lists go on where the page before ended, and what is old goes (${engine})`, async (t) => {
		const server = await withUploadServer(t, {engine});
		const {context, items} = server;
		for (const name of ['a', 'b', 'c', 'd', 'e']) {
			await server.await(`upload-${name}${name}`);
		}
		const seen: string[] = [];
		let cursor: string | undefined;
		do {
			const page = await listItems(context.store.database, {limit: 2, cursor});
			seen.push(...page.items.map(({id}) => id));
			cursor = page.nextCursor;
		} while (cursor !== undefined);
		t.deepEqual(seen, ['upload-ee', 'upload-dd', 'upload-cc', 'upload-bb', 'upload-aa']);
		context.advance(61_000);
		await sweep(context, items);
		t.like(await findItem(context.store.database, 'upload-aa'), {state: 'failed'});
		context.advance(2e9);
		await sweep(context, items);
		t.is(await findItem(context.store.database, 'upload-aa'), undefined);
	});
}

test('an id is the fleet’s for one box, and never a path', async (t) => {
	const server = await withUploadServer(t);
	await server.await('upload-other', 'box-2');
	for (const path of [
		'/upload/..%2f..%2fetc%2fpasswd',
		'/upload/%2e%2e%2fx',
		'/upload/upload-other',
		'/upload/UPPER-CASE',
		'/upload/short',
		`/upload/${'a'.repeat(65)}`,
		'/upload/nobody-asked%00',
	]) {
		t.is((await ask(server, 'HEAD', path)).status, 404, path);
		t.is((await ask(server, 'PATCH', path, part(0, Buffer.from('x'), 1))).status, 404, path);
	}
	server.device = undefined;
	t.is((await ask(server, 'HEAD', '/upload/upload-other')).status, 401);
	server.device = deviceIdSchema.parse('box-2');
	t.is((await ask(server, 'HEAD', '/upload/upload-other')).status, 204);
	t.deepEqual(await readdir(server.directory), []);
});

test('parts that lie about themselves are refused, and leave no half behind as whole', async (t) => {
	const server = await withUploadServer(t, {limits: {uploadBytesMax: 5000, boxBytesMax: 8000}});
	await server.await('upload-lies');
	const path = '/upload/upload-lies';
	const body = randomBytes(100);
	const status = async (given: ReturnType<typeof part>) => (await ask(server, 'PATCH', path, given)).status;
	t.is(await status(part(0, body, 100, {'content-type': 'text/plain'})), 415);
	t.is(await status(part(0, body, 100, {'upload-offset': '-1'})), 400);
	t.is(await status(part(0, body, 100, {'upload-offset': '1e3'})), 400);
	t.is(await status(part(0, body, 50)), 400);
	t.is(await status(part(0, body, 200, {'upload-complete': '?1'})), 400);
	t.is(await status(part(0, body, 6000)), 413);
	t.is(await status(part(0, body, 100, {'repr-digest': 'sha-256=nonsense'})), 400);
	t.is(await status(part(0, body, 100, {'repr-digest': `sha-256=:${'A'.repeat(43)}=:`})), 422);
	t.like(await findItem(server.context.store.database, 'upload-lies'), {state: 'failed'});
	t.is(await status(part(0, body, 100)), 410);
	await server.await('upload-first');
	t.is((await ask(server, 'PATCH', '/upload/upload-first', part(0, randomBytes(5000), 5000))).status, 204);
	await server.await('upload-second');
	t.is((await ask(server, 'PATCH', '/upload/upload-second', part(0, randomBytes(10), 4000))).status, 413, 'quota');
});
