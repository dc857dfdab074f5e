import test from 'ava';
import type {Page} from 'playwright-core';
import type {StbTitles} from '#appliance/contract/stb-status-schema.ts';
import {withBrowser} from '#test/helper/with-browser.ts';
import {type StbPageServer, sampleStatus, withStbPage} from '#test/helper/with-stb-page.ts';

type Row = StbTitles['titles'][number];

const hostileName = '<img src=x onerror="window.hacked = true">';

const rowOf = (id: string, more: Partial<Row> = {}): Row => ({
	id,
	kind: 'vod',
	name: id,
	playPath: `/streamverse/vod/${id}/master.m3u8`,
	cachedObjects: 0,
	manifests: [{uri: `http://dvb.gw/streamverse/vod/${id}/master.m3u8`, contentType: 'application/vnd.apple.mpegurl'}],
	...more,
});

const fill = (server: StbPageServer): void => {
	server.titles = [
		rowOf('sea', {name: 'Salt and Iron', durationMs: 2_520_000}),
		rowOf('hostile', {name: hostileName, description: hostileName, cachedObjects: 3}),
		rowOf('sport', {kind: 'live', name: 'Sport One', channelNumber: 7}),
		rowOf('news', {kind: 'live', name: 'Alpine News', channelNumber: 2}),
	];
	const status = sampleStatus();
	server.status = {
		...status,
		objects: {
			...status.objects,
			arriving: [
				{
					uri: 'http://dvb.gw/streamverse/vod/sea/seg-1.m4s',
					sizeBytes: 1000,
					receivedBytes: 250,
					repairedBytes: 0,
					phase: 'repairing',
					priority: 'medium',
					blockMap: [1, 0, 0.5, 0],
				},
			],
		},
	};
};

const focusedTitle = (page: Page): Promise<string | null> =>
	page.evaluate('document.activeElement?.getAttribute("data-title") ?? null');

test.serial('the home page shows channels by number, titles, what arrives and the state of the box', async (t) => {
	const server = await withStbPage(t);
	fill(server);
	const browser = await withBrowser(t);
	const page = await browser.newPage({viewport: {width: 1280, height: 720}});
	await page.goto(server.url);
	await page.locator('.row-live .card').nth(1).waitFor();
	t.deepEqual(await page.locator('.row-live .card-name').allTextContents(), ['Alpine News', 'Sport One']);
	t.deepEqual(await page.locator('.row-vod .card-name').allTextContents(), [hostileName, 'Salt and Iron']);
	await page.getByText('Satellite 18.4 Mbit/s').waitFor();
	await page.getByText('25 % of 1.0 kB, filling gaps over the internet').waitFor();
	t.is(await page.locator('.block-map rect').count(), 4);
	t.deepEqual(await page.locator('[data-title=sea] .card-fact').allTextContents(), ['Arriving 25 %']);
	await page.getByText('of 10.0 GB').waitFor();
	t.deepEqual(await page.locator('.stored .fact').allTextContents(), [`${hostileName}3 pieces`]);
	t.deepEqual(browser.errors(), [], 'nothing is refused by the policy and nothing throws');
});

test.serial('a name from the air never becomes markup', async (t) => {
	const server = await withStbPage(t);
	fill(server);
	const browser = await withBrowser(t);
	const page = await browser.newPage();
	await page.goto(server.url);
	await page.locator('[data-title=hostile]').focus();
	await page.getByRole('heading', {name: hostileName}).waitFor();
	t.is(await page.locator('img[src=x]').count(), 0);
	t.is(await page.evaluate('window.hacked'), undefined);
	const refusal: unknown = await page.evaluate(
		'try { document.body.innerHTML = "<b>"; "accepted" } catch (error) { error.name }',
	);
	t.is(refusal, 'TypeError', 'Trusted Types refuse strings as markup');
});

test.serial('the arrows of a remote control walk the rows and Tab needs one stop for each', async (t) => {
	const server = await withStbPage(t);
	fill(server);
	const browser = await withBrowser(t);
	const page = await browser.newPage({viewport: {width: 1280, height: 720}, reducedMotion: 'reduce'});
	await page.goto(server.url);
	await page.locator('.row-vod .card').nth(1).waitFor();
	await page.keyboard.press('ArrowDown');
	t.is(await focusedTitle(page), 'news');
	await page.keyboard.press('ArrowRight');
	t.is(await focusedTitle(page), 'sport');
	await page.keyboard.press('ArrowRight');
	t.is(await focusedTitle(page), 'sport', 'the end of a row is its end');
	await page.keyboard.press('ArrowLeft');
	await page.keyboard.press('ArrowDown');
	t.is(await focusedTitle(page), 'hostile');
	await page.keyboard.press('Shift+Tab');
	t.is(await focusedTitle(page), 'news', 'the row above is one stop, at the card that had the focus');
	await page.getByRole('heading', {name: 'Alpine News'}).waitFor();
});

test.serial(
	'a box whose event stream dies is followed by polling, and one that is gone is said to be gone',
	async (t) => {
		const server = await withStbPage(t);
		const browser = await withBrowser(t);
		const page = await browser.newPage();
		await page.goto(server.url);
		await page.getByText('Satellite 18.4 Mbit/s').waitFor();
		server.events = false;
		server.status = {...server.status, receive: {...server.status.receive, rateBps: 3_000_000}};
		await page.getByText('Satellite 3.0 Mbit/s').waitFor({timeout: 20_000});
		server.status = {...server.status, tuned: {announced: false, sessions: []}};
		await page.getByText('Looking for the satellite').first().waitFor({timeout: 20_000});
		await page.context().setOffline(true);
		await page.getByText('Your box does not answer').first().waitFor({timeout: 20_000});
		t.pass();
	},
);

test.serial('an address that names an unknown title says so until something else is chosen', async (t) => {
	const server = await withStbPage(t);
	fill(server);
	const browser = await withBrowser(t);
	const page = await browser.newPage();
	await page.goto(`${server.url}/?play=${encodeURIComponent('<b>nonsense</b>')}`);
	const notice = page.getByText('This box has not heard of “<b>nonsense</b>”');
	await notice.waitFor({timeout: 20_000});
	await page.locator('[data-title="sea"]').click();
	await page.locator('dialog[open]').waitFor();
	t.true(await notice.isHidden(), 'who chooses something else is no longer told');
});
