import {spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {readFile} from 'node:fs/promises';
import {gunzipSync} from 'node:zlib';
import test from 'ava';
import {cataloguePageSchema} from '#appliance/contract/catalogue-schema.ts';
import {headendStatusSchema} from '#appliance/contract/headend-status-schema.ts';
import {titleListSchema} from '#appliance/contract/title-schema.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withHeadend} from '#test/helper/with-headend.ts';
import {withReceiver} from '#test/helper/with-receiver.ts';

const ffmpegArgs = (url: string): string[] => [
	...['-hide_banner', '-loglevel', 'error', '-re', '-threads', '1'],
	...['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=60'],
	...['-f', 'lavfi', '-i', 'sine=frequency=440:duration=60'],
	...[
		'-c:v',
		'libx264',
		'-preset',
		'ultrafast',
		'-pix_fmt',
		'yuv420p',
		'-b:v',
		'300k',
		'-g',
		'25',
		'-sc_threshold',
		'0',
	],
	...['-c:a', 'aac', '-b:a', '64k', '-f', 'dash', '-seg_duration', '1', '-use_template', '1', '-use_timeline', '0'],
	...['-window_size', '3', '-extra_window_size', '2', '-hls_playlist', '1', '-hls_master_name', 'master.m3u8'],
	...['-method', 'PUT', '-http_persistent', '1', url],
];

test('what ffmpeg pushes is on air at once, described, and equal to what the headend keeps', async (t) => {
	t.timeout(120_000);
	const channels = [{id: 'one', name: 'Channel One', channelNumber: 7}];
	const headend = await withHeadend(t, {sections: {ingest: {channels, segmentDurationMs: 1000}}});
	const {group, port, liveTsi, announcement} = headend.config.uplink;
	const receiver = await withReceiver(t, [
		{group, port, interfaceAddress: '127.0.0.1'},
		{group: announcement.group, port: announcement.port, interfaceAddress: '127.0.0.1'},
	]);
	const ffmpeg = spawn('ffmpeg', ffmpegArgs(`${headend.url}/ingest/one/manifest.mpd`), {
		stdio: ['ignore', 'ignore', 'pipe'],
	});
	ffmpeg.stderr.resume();
	const ended = once(ffmpeg, 'exit');
	t.teardown(async () => {
		ffmpeg.kill('SIGKILL');
		await ended;
	});
	const base = 'http://dvb.gw/streamverse/live/one/';
	const media = () => [...receiver.complete].filter(([uri]) => uri.startsWith(base) && /chunk/u.test(uri));
	await eventually('four media segments arrive', () => media().length >= 4, {timeoutMs: 60_000});
	for (const name of ['manifest.mpd', 'master.m3u8', 'init-stream0.m4s', 'init-stream1.m4s']) {
		await eventually(`${name} arrives`, () => receiver.complete.has(base + name));
	}
	const page = cataloguePageSchema.parse(await (await fetch(`${headend.url}/catalogue?limit=5000`)).json());
	let compared = 0;
	for (const [uri, {object, path}] of media()) {
		t.is(object.tsi, liveTsi);
		t.is(object.extension['priority'], 'live');
		t.true(object.expiresMs > Date.now());
		const kept = page.objects.find((entry) => entry.uri === uri);
		if (kept !== undefined) {
			compared += 1;
			t.is(
				createHash('sha256')
					.update(await readFile(path))
					.digest('hex'),
				kept.sha256,
			);
			t.true((kept.expiresMs ?? 0) > Date.now());
		}
	}
	t.true(compared >= 2);
	const manifest = receiver.complete.get(`${base}manifest.mpd`);
	t.is(manifest?.object.contentType, 'application/dash+xml');
	t.true((manifest?.object.cacheExpiresMs ?? 0) > 0);
	const text = gunzipSync(await readFile(manifest?.path ?? '')).toString();
	t.regex(text, /<MPD/u);

	const titles = titleListSchema.parse(await (await fetch(`${headend.url}/titles`)).json());
	t.like(titles.titles[0], {name: 'Channel One', kind: 'live', channelNumber: 7});
	t.deepEqual(
		titles.titles[0]?.manifests.map(({uri}) => uri.slice(base.length)),
		['master.m3u8', 'manifest.mpd'],
	);
	const status = headendStatusSchema.parse(await (await fetch(`${headend.url}/status`)).json());
	t.is(status.live[0]?.channel, 'one');
	t.true((status.live[0]?.bitrateBps ?? 0) > 0);
});

test('a channel that stops leaves the air and the catalogue', async (t) => {
	let aheadMs = 0;
	const clock: Clock = {...systemClock, nowMs: () => Date.now() + aheadMs};
	const headend = await withHeadend(t, {sections: {ingest: {windowMs: 60_000}}, clock});
	await fetch(`${headend.url}/ingest/two/master.m3u8`, {
		method: 'PUT',
		body: '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmedia.m3u8\n',
	});
	const titles = async () => titleListSchema.parse(await (await fetch(`${headend.url}/titles`)).json()).titles;
	await eventually('it is a title', async () => (await titles()).length === 1);
	aheadMs = 61_000;
	await eventually('it is none', async () => (await titles()).length === 0);
	const page = cataloguePageSchema.parse(await (await fetch(`${headend.url}/catalogue`)).json());
	t.deepEqual(page.objects, []);
});

test('a channel takes POST, chunked bodies and any DELETE, and refuses what cannot be a channel', async (t) => {
	const headend = await withHeadend(t, {sections: {ingest: {channelsMax: 1, objectBytesMax: 10_000}}});
	const send = (path: string, init: RequestInit) => fetch(`${headend.url}/ingest/${path}`, init);
	const chunked = new ReadableStream({
		start: (controller) => {
			controller.enqueue(Buffer.from('one '));
			controller.enqueue(Buffer.from('two'));
			controller.close();
		},
	});
	t.is((await send('one/a.m4s', {method: 'POST', body: chunked, duplex: 'half'})).status, 201);
	t.is(await (await fetch(`${headend.url}/catalogue/live/one/a.m4s`)).text(), 'one two');
	t.is((await send('one/a.m4s', {method: 'DELETE'})).status, 204);
	t.is((await send('one/a.m4s', {method: 'DELETE'})).status, 204);
	t.is((await send('two/a.m4s', {method: 'PUT', body: 'x'})).status, 503);
	t.is((await send('UPPER/a.m4s', {method: 'PUT', body: 'x'})).status, 400);
	t.is((await send('one/a.m4s', {method: 'PUT', body: Buffer.alloc(10_001)})).status, 413);
	t.is((await send('one/%2e%2e/%2e%2e/a', {method: 'PUT', body: 'x'})).status, 404);
});
