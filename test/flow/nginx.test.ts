import {randomBytes} from 'node:crypto';
import {readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {nginxEntityTag} from '#stb/serve/entity-tag.ts';
import {eventually} from '#test/helper/eventually.ts';
import {parseMultipart} from '#test/helper/parse-multipart.ts';
import {digestOf, withSatellite} from '#test/helper/with-satellite.ts';

test('what came by satellite is served by nginx, and the rest by our process behind it', async (t) => {
	const satellite = await withSatellite(t, {model: {seed: 5, lossRatio: 0.02}, serve: {dataPlane: 'nginx'}});
	const bytes = randomBytes(1_200_000);
	const path = 'vod/film/seg-1.m4s';
	await satellite.put(path, bytes);
	t.is(digestOf(await satellite.received(path)), digestOf(bytes));
	const shown = join(satellite.stateDirectory, 'stb/cache/www/streamverse', path);
	await eventually('the tree has it', () => stat(shown).then(() => true));
	const url = `${satellite.stbUrl()}/streamverse/${path}`;
	const whole = await fetch(url);
	t.is(digestOf(Buffer.from(await whole.arrayBuffer())), digestOf(bytes));
	const entityTag = nginxEntityTag(digestOf(bytes), bytes.length);
	t.like(Object.fromEntries(whole.headers), {
		...{server: 'nginx', etag: entityTag, 'streamverse-source': 'cache', 'accept-ranges': 'bytes'},
		'access-control-allow-origin': '*',
	});
	const part = await fetch(url, {headers: {range: 'bytes=1000-1999', 'if-range': entityTag}});
	t.is(part.status, 206);
	t.true(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1000, 2000)));
	t.is((await fetch(url, {headers: {'if-none-match': entityTag}})).status, 304);
	// Of these nginx knows nothing: several ranges, the tag of the digest, what there is not.
	const several = await fetch(url, {headers: {range: 'bytes=0-9,600000-600099'}});
	const parts = parseMultipart(several.headers, Buffer.from(await several.arrayBuffer()));
	t.true(parts.every(({start, end, bytes: piece}) => piece.equals(bytes.subarray(start, end + 1))));
	t.is((await fetch(url, {headers: {'if-none-match': `"${digestOf(bytes)}"`}})).status, 304);
	t.is((await fetch(`${url}.none`)).status, 404);
	// Its log names only what nginx sent by itself: three of these, and the very first unless that came before the tree had it.
	const log = join(satellite.stateDirectory, 'stb/cache/nginx/access.log');
	const written = async () => (await readFile(log, 'utf8')).split('\n').filter((line) => line.endsWith(`/${path}`));
	await eventually('nginx has written down what it served', async () => (await written()).length >= 3);
	await eventually('the box counts them', async () => (await satellite.status()).cache.hits >= 6);
	t.true((await written()).length <= 4, (await written()).join('\n'));
});
