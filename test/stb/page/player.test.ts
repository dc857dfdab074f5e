import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Page} from 'playwright-core';
import {type PlaybackReport, playbackReportSchema} from '#appliance/contract/playback-report.ts';
import {eventually} from '#test/helper/eventually.ts';
import {makeSampleStream} from '#test/helper/make-sample-stream.ts';
import {type TestBrowser, withBrowser} from '#test/helper/with-browser.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type StbPageServer, withStbPage} from '#test/helper/with-stb-page.ts';

const film = {
	id: 'film',
	kind: 'vod' as const,
	name: 'The Long Way Up',
	playPath: '/streamverse/vod/film/master.m3u8',
	cachedObjects: 3,
	manifests: [
		{uri: 'http://dvb.gw/streamverse/vod/film/master.m3u8', contentType: 'application/vnd.apple.mpegurl' as const},
	],
};

const withFilm = async (
	t: ExecutionContext,
	durationSeconds: number,
): Promise<{readonly server: StbPageServer; readonly browser: TestBrowser; readonly page: Page}> => {
	const mediaDirectory = await withDirectory(t);
	await makeSampleStream(join(mediaDirectory, 'vod/film'), durationSeconds);
	const server = await withStbPage(t, {mediaDirectory});
	server.titles = [film];
	const browser = await withBrowser(t);
	return {server, browser, page: await browser.newPage({viewport: {width: 1280, height: 720}})};
};

const reportOf = async (page: Page): Promise<PlaybackReport> =>
	playbackReportSchema.parse(await page.evaluate('window.streamverse.playback'));

const reportWith = (page: Page, what: string, accept: (report: PlaybackReport) => boolean): Promise<PlaybackReport> =>
	eventually(
		what,
		async () => {
			const report = await reportOf(page);
			return accept(report) ? report : undefined;
		},
		{timeoutMs: 60_000, intervalMs: 50},
	);

/** Counts the waits once it plays, outside of a jump: on a busy machine the browser speaks of those of its decoders, too. */
const countWaits = async (page: Page): Promise<() => Promise<number>> => {
	await page.addInitScript(
		`window.waits = 0; addEventListener('waiting', ({target}) => { window.waits += target.seeking || target.currentTime === 0 ? 0 : 1; }, true);`,
	);
	return () => page.evaluate<number>('window.waits');
};

test.serial('Enter plays from the box, the keys work, and Escape returns to where the viewer was', async (t) => {
	const {server, browser, page} = await withFilm(t, 8);
	const waits = await countWaits(page);
	await page.goto(server.url);
	await page.locator('[data-title=film]').focus();
	t.is((await reportOf(page)).state, 'idle');
	await page.keyboard.press('Enter');
	const playing = await reportWith(page, 'frames', ({framesDecoded}) => framesDecoded > 20);
	t.is(playing.titleId, 'film');
	t.true((playing.startupMs ?? Number.POSITIVE_INFINITY) < 30_000);
	t.true(playing.bufferedAheadMs > 0);
	await page.keyboard.press('k');
	await reportWith(page, 'the pause', ({state}) => state === 'paused');
	await page.keyboard.press('k');
	await page.keyboard.press('m');
	await reportWith(page, 'playing on, muted', ({state, muted}) => state === 'playing' && muted);
	await page.getByRole('button', {name: 'Tap for sound'}).click();
	await page.keyboard.press('ArrowRight');
	const ended = await reportWith(page, 'the end', ({state}) => state === 'ended');
	t.true(ended.stalls <= (await waits()), `${ended.stalls} of ${await waits()}`);
	t.is(ended.retries, 0);
	t.is(ended.error, undefined);
	await page.keyboard.press('Escape');
	await reportWith(page, 'the player gone', ({state}) => state === 'idle');
	t.is(await page.locator('dialog[open]').count(), 0);
	t.is(await page.evaluate('document.activeElement?.getAttribute("data-title")'), 'film');
	t.is(new URL(page.url()).search, '');
	t.deepEqual(browser.errors(), []);
});

test.serial('an address with a title starts to play it by itself, and Back in the browser ends it', async (t) => {
	const {server, page} = await withFilm(t, 6);
	await page.goto(`${server.url}/?play=film`);
	await reportWith(page, 'playing', ({state, framesDecoded}) => state === 'playing' && framesDecoded > 5);
	await page.goBack();
	await reportWith(page, 'the player gone', ({state}) => state === 'idle');
	t.is(await page.locator('dialog[open]').count(), 0);
});

test.serial('a programme that is not there is said so in words, and plays after Try again', async (t) => {
	const {server, page} = await withFilm(t, 6);
	server.media = (context) => {
		context.status = 404;
		context.body = 'not here';
	};
	await page.goto(server.url);
	await page.locator('[data-title=film]').click();
	await page.getByText('has not arrived on your box yet').waitFor({timeout: 30_000});
	t.is((await reportOf(page)).error?.code, 'STB_PAGE_NOT_THERE');
	server.media = undefined;
	await page.getByRole('button', {name: 'Try again'}).press('Enter');
	const report = await reportWith(
		page,
		'playing',
		({state, framesDecoded}) => state === 'playing' && framesDecoded > 5,
	);
	t.is(report.error, undefined);
});

test.serial(
	'an outage in the middle of a film is told of as waiting, counted as one stall, and survived',
	async (t) => {
		const {server, page} = await withFilm(t, 12);
		let isOut = true;
		let refused = 0;
		server.media = async (context, next) => {
			const segment = /seg-\d-(?<number>\d+)\.m4s$/u.exec(context.path)?.groups?.['number'];
			if (isOut && Number(segment) >= 3) {
				refused += 1;
				context.status = refused % 2 === 0 ? 503 : 404;
				context.body = 'out of order';
			} else {
				await next();
			}
		};
		await page.goto(`${server.url}/?play=film`);
		// Where nothing is left to play, and not where a busy machine is slow to play it.
		const stalled = await reportWith(
			page,
			'the stall',
			({state, bufferedAheadMs}) => state === 'stalled' && bufferedAheadMs < 200,
		);
		await page.getByText('Waiting for the signal').waitFor();
		const refusedBefore = refused;
		await eventually('it is asked for again', () => refused > refusedBefore);
		t.is((await reportOf(page)).stalls, stalled.stalls);
		isOut = false;
		const report = await reportWith(page, 'past the outage', ({currentTimeMs}) => currentTimeMs > 5000);
		t.is(report.error, undefined);
		t.true(report.stalls >= stalled.stalls && report.stalls <= stalled.stalls + 1, `${report.stalls}`);
		t.true(report.stalledMs > 100);
		t.true(report.retries > 0);
	},
);
