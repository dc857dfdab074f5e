import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Page} from 'playwright-core';
import {type PlaybackReport, playbackReportSchema} from '#appliance/contract/playback-report.ts';
import {eventually} from '#test/helper/eventually.ts';
import {makeSampleStream} from '#test/helper/make-sample-stream.ts';
import {withBrowser} from '#test/helper/with-browser.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withStbPage} from '#test/helper/with-stb-page.ts';

const reportWith = (page: Page, what: string, accept: (report: PlaybackReport) => boolean): Promise<PlaybackReport> =>
	eventually(
		what,
		async () => {
			const report = playbackReportSchema.parse(await page.evaluate('window.streamverse.playback'));
			return accept(report) ? report : undefined;
		},
		{timeoutMs: 60_000, intervalMs: 50},
	);

const titleOf = (kind: 'live' | 'vod', manifest: string) => ({
	id: 'it',
	kind,
	name: 'It',
	playPath: `/streamverse/${kind}/it/${manifest}`,
	cachedObjects: 0,
	manifests: [
		{
			uri: `http://dvb.gw/streamverse/${kind}/it/${manifest}`,
			contentType: manifest.endsWith('.mpd')
				? ('application/dash+xml' as const)
				: ('application/vnd.apple.mpegurl' as const),
		},
	],
});

/** An encoder that never ends: two-second segments in real time, the last five of them listed. */
const withLiveEncoder = async (t: ExecutionContext, directory: string): Promise<void> => {
	await mkdir(directory, {recursive: true});
	const encoder = spawn(
		'ffmpeg',
		[
			...['-hide_banner', '-loglevel', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25'],
			...['-c:v', 'libx264', '-preset', 'ultrafast', '-threads', '1', '-pix_fmt', 'yuv420p', '-g', '50'],
			...['-f', 'hls', '-hls_time', '2', '-hls_list_size', '5', '-hls_flags', 'delete_segments+temp_file'],
			...['-hls_segment_type', 'fmp4', '-hls_segment_filename', 'seg-%05d.m4s', 'live.m3u8'],
		],
		{cwd: directory, stdio: 'ignore'},
	);
	t.teardown(async () => {
		const ended = once(encoder, 'exit');
		if (encoder.exitCode === null && encoder.kill('SIGKILL')) {
			await ended;
		}
	});
};

test.serial('a live channel plays a few segments behind the encoder and is called live', async (t) => {
	const mediaDirectory = await withDirectory(t);
	await withLiveEncoder(t, join(mediaDirectory, 'live/it'));
	const server = await withStbPage(t, {mediaDirectory});
	server.titles = [titleOf('live', 'live.m3u8')];
	const browser = await withBrowser(t);
	const page = await browser.newPage({viewport: {width: 1280, height: 720}});
	await page.goto(server.url);
	await eventually('three segments', async () => {
		const playlist = await fetch(`${server.url}/streamverse/live/it/live.m3u8`);
		return ((await playlist.text()).match(/seg-\d+/gu)?.length ?? 0) >= 3;
	});
	await page.locator('[data-title=it]').click();
	const playing = await reportWith(page, 'five seconds of frames', ({framesDecoded}) => framesDecoded > 125);
	t.is(playing.kind, 'live');
	t.is(playing.error, undefined);
	t.true((playing.liveLatencyMs ?? 0) > 1000);
	t.true((playing.liveLatencyMs ?? Number.POSITIVE_INFINITY) < 30_000);
	await page.keyboard.press('ArrowUp');
	await page.getByText('behind live').waitFor();
	await page.locator('.player-badge', {hasText: 'Live'}).waitFor();
});

test.serial('a browser that wants a gesture first shows a muted picture and offers the sound', async (t) => {
	const mediaDirectory = await withDirectory(t);
	await makeSampleStream(join(mediaDirectory, 'vod/it'), 6);
	const server = await withStbPage(t, {mediaDirectory});
	server.titles = [titleOf('vod', 'master.m3u8')];
	const browser = await withBrowser(t, ['--autoplay-policy=document-user-activation-required']);
	const page = await browser.newPage();
	// The page tells by itself: to evaluate in it would count as the gesture that it must do without.
	await page.addInitScript(
		'setInterval(() => window.streamverse?.playback.framesDecoded > 5 && console.log("muted: " + window.streamverse.playback.muted), 50)',
	);
	const told = page.waitForEvent('console', {timeout: 60_000});
	await page.goto(`${server.url}/?play=it`);
	t.is((await told).text(), 'muted: true');
	await page.getByRole('button', {name: 'Tap for sound'}).click();
	await reportWith(page, 'the sound', ({muted}) => !muted);
});

test.serial('a programme in a form that no browser plays is said to be for another device', async (t) => {
	const server = await withStbPage(t);
	server.titles = [titleOf('vod', 'manifest.mpd')];
	const browser = await withBrowser(t);
	const page = await browser.newPage();
	await page.goto(`${server.url}/?play=it`);
	await page.getByText('This screen cannot play this programme').waitFor();
	t.is(await page.getByRole('button', {name: 'Try again'}).count(), 0);
	const report = await reportWith(page, 'the failure', ({state}) => state === 'failed');
	t.is(report.error?.code, 'STB_PAGE_UNSUPPORTED');
	await page.keyboard.press('Enter');
	await reportWith(page, 'the player gone', ({state}) => state === 'idle');
});
