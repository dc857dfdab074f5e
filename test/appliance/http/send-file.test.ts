import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {readdir, truncate, writeFile} from 'node:fs/promises';
import {connect} from 'node:net';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {openToEveryOrigin} from '#appliance/http/cors.ts';
import {type SendFileOptions, sendFile} from '#appliance/http/send-file.ts';
import {parseMultipart} from '#test/helper/parse-multipart.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withHttpApp} from '#test/helper/with-http-app.ts';

const sha256 = 'ab'.repeat(32);
const tag = `"${sha256}"`;

const withServedFile = async (t: ExecutionContext, bytes: Buffer, options: Partial<SendFileOptions> = {}) => {
	const path = join(await withDirectory(t), 'object');
	await writeFile(path, bytes);
	const url = await withHttpApp(t, openToEveryOrigin(), async (context) => {
		await sendFile(context, {source: path, sizeBytes: bytes.length, sha256, ...options});
	});
	return {path, url};
};

const get = async (url: string, headers: Record<string, string> = {}) => {
	const response = await fetch(url, {headers});
	return {response, bytes: Buffer.from(await response.arrayBuffer())};
};

test('a whole file comes with its length, tag, type and CORS', async (t) => {
	const bytes = randomBytes(700_000);
	const {url} = await withServedFile(t, bytes);
	const whole = await get(`${url}/a.m4s`);
	t.is(whole.response.status, 200);
	t.true(whole.bytes.equals(bytes));
	t.is(whole.response.headers.get('content-length'), '700000');
	t.is(whole.response.headers.get('etag'), tag);
	t.is(whole.response.headers.get('accept-ranges'), 'bytes');
	t.is(whole.response.headers.get('content-type'), 'video/iso.segment');
	t.is(whole.response.headers.get('access-control-allow-origin'), '*');
	t.is(whole.response.headers.get('x-content-type-options'), 'nosniff');
	const head = await fetch(`${url}/a.m4s`, {method: 'HEAD', headers: {range: 'bytes=0-1'}});
	t.is(head.status, 200);
	t.is(head.headers.get('content-length'), '700000');
	const preflight = await fetch(`${url}/a.m4s`, {method: 'OPTIONS'});
	t.is(preflight.status, 204);
	t.is((await fetch(url, {method: 'POST', body: 'x'})).status, 405);
});

test('random single and multiple ranges equal the same slices of the file', async (t) => {
	const bytes = randomBytes(600_000);
	const {url} = await withServedFile(t, bytes);
	for (let round = 0; round < 40; round++) {
		const count = 1 + (round % 5);
		const ranges = Array.from({length: count}, () => {
			const start = Math.floor(Math.random() * bytes.length);
			return [start, Math.min(bytes.length - 1, start + Math.floor(Math.random() * 300_000))] as const;
		});
		const {response, bytes: body} = await get(url, {
			range: `bytes=${ranges.map(([start, end]) => `${start}-${end}`).join(',')}`,
		});
		t.is(response.status, 206);
		t.is(Number(response.headers.get('content-length')), body.length);
		const parts = parseMultipart(response.headers, body);
		for (const part of parts) {
			t.true(bytes.subarray(part.start, part.end + 1).equals(part.bytes));
		}
		for (const [start, end] of ranges) {
			t.true(parts.some((part) => part.start <= start && part.end >= end));
		}
	}
});

test('a range outside of the file is refused with its size', async (t) => {
	const {url} = await withServedFile(t, Buffer.from('abc'));
	const {response} = await get(url, {range: 'bytes=3-'});
	t.is(response.status, 416);
	t.is(response.headers.get('content-range'), 'bytes */3');
	t.is(response.headers.get('content-type')?.split(';')[0], 'application/problem+json');
});

test('conditional requests follow RFC 9110', async (t) => {
	const lastModifiedMs = Date.UTC(2026, 0, 2, 3, 4, 5);
	const date = new Date(lastModifiedMs).toUTCString();
	const {url} = await withServedFile(t, Buffer.from('abcdef'), {lastModifiedMs, entityTagAliases: ['"alias"']});
	const status = async (headers: Record<string, string>) => (await get(url, headers)).response.status;
	t.is(await status({'if-none-match': `"x", W/${tag}`}), 304);
	t.is(await status({'if-none-match': '"alias"'}), 304);
	t.is(await status({'if-none-match': '"x"', 'if-modified-since': date}), 200);
	t.is(await status({'if-modified-since': date}), 304);
	t.is(await status({'if-modified-since': 'yesterday'}), 200);
	t.is(await status({'if-match': '"x"'}), 412);
	t.is(await status({'if-match': `W/${tag}`}), 412);
	t.is(await status({'if-match': `"x", ${tag}`}), 200);
	t.is(await status({'if-unmodified-since': new Date(0).toUTCString()}), 412);
	t.is(await status({range: 'bytes=0-1', 'if-range': tag}), 206);
	t.is(await status({range: 'bytes=0-1', 'if-range': '"alias"'}), 206);
	t.is(await status({range: 'bytes=0-1', 'if-range': `W/${tag}`}), 200);
	t.is(await status({range: 'bytes=0-1', 'if-range': '"old"'}), 200);
	t.is(await status({range: 'bytes=0-1', 'if-range': date}), 206);
	t.is(await status({range: 'bytes=0-1', 'if-range': new Date(0).toUTCString()}), 200);
});

test('an empty file is served empty, and a missing one is not found', async (t) => {
	const {url} = await withServedFile(t, Buffer.alloc(0));
	const {response, bytes} = await get(url);
	t.is(response.status, 200);
	t.is(response.headers.get('content-length'), '0');
	t.is(bytes.length, 0);
	const missing = await withServedFile(t, Buffer.alloc(0), {source: '/nonexistent/file'});
	t.is((await fetch(missing.url)).status, 404);
});

test('a file that was cut short breaks the connection instead of passing for a whole one', async (t) => {
	const {url, path} = await withServedFile(t, randomBytes(500_000));
	await truncate(path, 300_000);
	await t.throwsAsync(async () => await get(url));
});

const openDescriptors = async (path: string): Promise<number> => {
	const {readlink} = await import('node:fs/promises');
	let count = 0;
	for (const name of await readdir('/proc/self/fd')) {
		const target = await readlink(`/proc/self/fd/${name}`).catch(() => '');
		count += target === path ? 1 : 0;
	}
	return count;
};

test('clients that leave at any moment leave no descriptor behind', async (t) => {
	const {url, path} = await withServedFile(t, randomBytes(8_000_000));
	const port = Number(new URL(url).port);
	for (let round = 0; round < 40; round++) {
		const socket = connect(port, '127.0.0.1');
		socket.on('error', () => undefined);
		await once(socket, 'connect');
		socket.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
		if (round % 2 === 0) {
			await once(socket, 'data');
		} else {
			await delay(round % 7);
		}
		socket.destroy();
	}
	for (let attempt = 0; attempt < 200 && (await openDescriptors(path)) > 0; attempt++) {
		await delay(25);
	}
	t.is(await openDescriptors(path), 0);
});
