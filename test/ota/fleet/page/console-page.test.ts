import {mkdir, writeFile} from 'node:fs/promises';
import {request} from 'node:http';
import {join} from 'node:path';
import {brotliDecompressSync, gunzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import Koa from 'koa';
import {consolePage} from '#ota/fleet/page/console-page.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withHttpHandler} from '#test/helper/with-http-handler.ts';

const script = `console.log(${JSON.stringify('a'.repeat(2000))})`;
const index = '<!doctype html><title>Console</title>';

type Answer = {readonly status: number; readonly headers: NodeJS.Dict<string | string[]>; readonly body: Buffer};
type Ask = (path: string, headers?: Record<string, string>, method?: string) => Promise<Answer>;

/** Paths go out as they are written: fetch would take their dots away. */
const withConsolePage = async (t: ExecutionContext, {isBuilt = true} = {}): Promise<Ask> => {
	const root = await withDirectory(t);
	const directory = join(root, 'console');
	await writeFile(join(root, 'secret.js'), 'not for you');
	if (isBuilt) {
		await mkdir(join(directory, 'assets'), {recursive: true});
		await writeFile(join(directory, 'index.html'), index);
		await writeFile(join(directory, 'assets', 'index-Ab_12-Zz.js'), script);
		await writeFile(join(directory, 'assets', 'index.js.map'), '{}');
	}
	const app = new Koa();
	app.use(consolePage(directory));
	app.use((context) => {
		context.status = 404;
		context.body = 'what comes after';
	});
	const {hostname, port} = new URL(await withHttpHandler(t, app.callback()));
	return (path, headers = {}, method = 'GET') =>
		new Promise((resolve, reject) => {
			request({hostname, port, path, method, headers}, (response) => {
				const parts: Buffer[] = [];
				response.on('data', (part: Buffer) => parts.push(part));
				response.on('end', () =>
					resolve({status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts)}),
				);
			})
				.on('error', reject)
				.end();
		});
};

test('every address of a page is the index, which is asked for again each time', async (t) => {
	const ask = await withConsolePage(t);
	for (const path of ['/', '/boxes', '/boxes/stb-1/telemetry', '/rollouts/new?x=1', '/alerts/rules']) {
		const {status, headers, body} = await ask(path);
		t.is(status, 200, path);
		t.is(body.toString(), index);
		t.is(headers['cache-control'], 'no-cache');
		t.regex(String(headers['content-security-policy']), /default-src 'none'/u);
	}
});

test('a file with its digest in its name is kept for ever, and is not sent twice', async (t) => {
	const ask = await withConsolePage(t);
	const {headers} = await ask('/assets/index-Ab_12-Zz.js');
	t.is(headers['cache-control'], 'public, max-age=31536000, immutable');
	t.is(headers['x-content-type-options'], 'nosniff');
	const again = await ask('/assets/index-Ab_12-Zz.js', {'If-None-Match': String(headers['etag'])});
	t.is(again.status, 304);
	t.is(again.body.length, 0);
});

test('each encoding that the browser takes is answered, compressed once, with a tag of its own', async (t) => {
	const ask = await withConsolePage(t);
	const path = '/assets/index-Ab_12-Zz.js';
	const plain = await ask(path, {'Accept-Encoding': 'identity'});
	const gzip = await ask(path, {'Accept-Encoding': 'gzip'});
	const brotli = await ask(path, {'Accept-Encoding': 'gzip, br'});
	t.is(plain.headers['content-encoding'], undefined);
	t.is(plain.body.toString(), script);
	t.is(gzip.headers['content-encoding'], 'gzip');
	t.is(gunzipSync(gzip.body).toString(), script);
	t.is(brotli.headers['content-encoding'], 'br');
	t.is(brotliDecompressSync(brotli.body).toString(), script);
	t.is(new Set([plain, gzip, brotli].map(({headers}) => headers['etag'])).size, 3);
	t.regex(String(gzip.headers['vary']), /accept-encoding/iu);
});

test('nothing outside of the directory and nothing of another type is answered', async (t) => {
	const ask = await withConsolePage(t);
	for (const path of [
		...['/../secret.js', '/assets/../../secret.js', '/%2e%2e/secret.js', '/..%2fsecret.js', '//secret.js'],
		...['/assets/index.js.map', '/api/v1/boxes', '/boxesx', '/assets/%00'],
	]) {
		const {status, body} = await ask(path);
		t.is(status, 404, path);
		t.is(body.toString(), 'what comes after', path);
	}
	t.is((await ask('/boxes', {}, 'POST')).status, 404);
	const head = await ask('/', {}, 'HEAD');
	t.is(head.status, 200);
	t.is(head.body.length, 0);
});

test('a console that is not built says how it is', async (t) => {
	const ask = await withConsolePage(t, {isBuilt: false});
	const {status, body} = await ask('/boxes');
	t.is(status, 503);
	t.regex(body.toString(), /\.\/streamverse/u);
});
