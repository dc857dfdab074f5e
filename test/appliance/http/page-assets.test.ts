import {get} from 'node:http';
import {gunzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {npmFiles, pageAssets} from '#appliance/http/page-assets.ts';
import {withHttpApp} from '#test/helper/with-http-app.ts';

const directory = new URL('../../../stb/page/', import.meta.url).pathname;

const withPage = (t: ExecutionContext): Promise<string> =>
	withHttpApp(t, pageAssets({directory, prefix: '/box/assets/'}));

/** As sent: fetch would tidy a path with dot segments. */
const statusOf = (url: string, path: string): Promise<number | undefined> =>
	new Promise((resolve, reject) => {
		get(url, {path}, (response) => {
			response.resume();
			resolve(response.statusCode);
		}).on('error', reject);
	});

test('the index is a document with a policy that lets only our own files run', async (t) => {
	const response = await fetch(`${await withPage(t)}/`);
	t.is(response.status, 200);
	t.is(response.headers.get('content-type'), 'text/html; charset=utf-8');
	t.is(response.headers.get('x-content-type-options'), 'nosniff');
	const policy = response.headers.get('content-security-policy') ?? '';
	t.regex(policy, /default-src 'none'/u);
	t.regex(policy, /script-src 'self'(;|$)/u);
	t.regex(policy, /require-trusted-types-for 'script'/u);
	t.notRegex(policy, /unsafe/u);
});

test('TypeScript is served as JavaScript whose imports the browser can follow', async (t) => {
	const url = await withPage(t);
	const response = await fetch(`${url}/box/assets/stb/page/hls-engine.ts`);
	t.is(response.headers.get('content-type'), 'text/javascript; charset=utf-8');
	const code = await response.text();
	t.notRegex(code, /import type|: Engine\b|readonly /u);
	t.true(code.includes("import('/box/assets/npm/hls.js')"));
	const library = await fetch(`${url}/box/assets/npm/hls.js`);
	t.is(library.status, 200);
	t.is(library.headers.get('content-type'), 'text/javascript; charset=utf-8');
	t.true((await library.text()).length > 100_000);
});

test('a module of a package is served with those that it imports', async (t) => {
	const url = await withPage(t);
	for (const name of Object.keys(npmFiles)) {
		const address = `${url}/box/assets/npm/${name}`;
		const response = await fetch(address);
		t.is(response.headers.get('content-type'), 'text/javascript; charset=utf-8', name);
		for (const [, imported = ''] of (await response.text()).matchAll(/^import [^']*'([^']+)'/gmu)) {
			t.is((await fetch(new URL(imported, address))).status, 200, `${imported} of ${name}`);
		}
	}
});

test('an asset that the browser has is not sent again', async (t) => {
	const address = `${await withPage(t)}/box/assets/stb/page/page.css`;
	const first = await fetch(address);
	const tag = first.headers.get('etag') ?? '';
	t.regex(tag, /^"[0-9a-f]{32}-gzip"$/u);
	// Without a Cache-Control of its own fetch would add no-cache, which asks for the whole again.
	const second = await fetch(address, {headers: {'If-None-Match': tag, 'Cache-Control': 'max-age=0'}});
	t.is(second.status, 304);
	t.is((await second.text()).length, 0);
});

test('the compressed and the plain answer are the same file under two tags', async (t) => {
	const address = `${await withPage(t)}/box/assets/appliance/page/base.css`;
	const ask = (encoding: string): Promise<{readonly bytes: Buffer; readonly tag: string | undefined}> =>
		new Promise((resolve, reject) => {
			get(address, {headers: {'accept-encoding': encoding}}, (response) => {
				response
					.toArray()
					.then((chunks) => resolve({bytes: Buffer.concat(chunks), tag: response.headers.etag}))
					.catch(reject);
			}).on('error', reject);
		});
	const plain = await ask('identity');
	const compressed = await ask('gzip');
	t.deepEqual(gunzipSync(compressed.bytes), plain.bytes);
	t.not(compressed.tag, plain.tag);
});

test('nothing but the assets of a page can be had', async (t) => {
	const url = await withPage(t);
	const paths = [
		'/box/assets/stb/page/tsconfig.json',
		'/box/assets/stb/page/missing.ts',
		'/box/assets/stb/config-schema.ts',
		'/box/assets/package.json',
		'/box/assets/npm/koa',
		'/box/assets/npm/qr/dom.js',
		'/box/assets/npm/../package.json',
		'/box/assets/stb/page/../config-schema.ts',
		'/box/assets/stb/page/%2e%2e/config-schema.ts',
		'/box/assets/stb/page/..%2fconfig-schema.ts',
		'/box/assets//etc/passwd',
		'/box/assets/headend/page/main.ts',
		'/box/assets/stb/page/page.css%00.ts',
		'/box/assets/constructor',
		'/box/assets/npm/constructor',
	];
	for (const path of paths) {
		t.is(await statusOf(url, path), 404, path);
	}
	t.is((await fetch(`${url}/`, {method: 'POST'})).status, 404);
});
