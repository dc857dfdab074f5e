import test from 'ava';
import type {CatalogueObject} from '#appliance/contract/catalogue-schema.ts';
import {withBrowser} from '#test/helper/with-browser.ts';
import {sampleHeadendStatus, withHeadendPage} from '#test/helper/with-headend-page.ts';

const hostilePath = '<img src=x onerror="window.hacked = true">';

const objectOf = (index: number): CatalogueObject => ({
	path: `vod/title-${String(index).padStart(5, '0')}/seg.m4s`,
	uri: `http://dvb.gw/streamverse/vod/title-${index}/seg.m4s`,
	sizeBytes: 1_000_000 + index,
	sha256: '0'.repeat(64),
	contentType: 'video/iso.segment',
	priority: 'medium',
	revision: index + 1,
});

test.serial(
	'the operator sees the rate, the round, what is on air, what comes next and the live channels',
	async (t) => {
		const server = await withHeadendPage(t);
		const status = sampleHeadendStatus();
		server.status = {
			...status,
			next: [{path: 'vod/next.m4s', priority: 'low', sizeBytes: 2_000_000, inMs: 75_900}],
			live: [...status.live, {channel: 'sport', lastSegmentMs: status.nowMs - 42_000, segments: 12, bitrateBps: 5e6}],
		};
		const browser = await withBrowser(t);
		const page = await browser.newPage({viewport: {width: 1400, height: 900}});
		await page.goto(server.url);
		await page.getByText('38.9 Mbit/s').waitFor();
		await page.getByText('left of 1:00:00').waitFor();
		await page.getByText('62 % of 3.9 MB · TOI 1044').waitFor();
		await page.getByText('41 % of the rate, 30 % kept for it').waitFor();
		await page.getByText('Everything fits into the round').waitFor();
		await page.getByText('silent for 42 s').waitFor();
		t.regex((await page.locator('.countdown').textContent()) ?? '', /^1:1\d$/u);
		t.is(await page.title(), 'headend-1 · StreamVerse headend');
		t.deepEqual(browser.errors(), []);
	},
);

test.serial('what does not fit is told in red, and its name never becomes markup', async (t) => {
	const server = await withHeadendPage(t);
	const browser = await withBrowser(t);
	const page = await browser.newPage();
	await page.goto(server.url);
	await page.getByText('Everything fits into the round').waitFor();
	const {carousel} = server.status;
	const doesNotFit = [{path: hostilePath, sizeBytes: 38_000_000_000, reason: 'it needs two hours'}];
	server.status = {...server.status, carousel: {...carousel, doesNotFit}};
	await page.getByText('1 object does not fit into the round').waitFor();
	await page.getByText('38.0 GB: it needs two hours').waitFor();
	t.is(await page.locator('.misfit .path').textContent(), hostilePath);
	t.is(await page.evaluate('getComputedStyle(document.querySelector(".verdict")).color'), 'rgb(255, 138, 128)');
	t.is(await page.locator('img').count(), 0);
	t.is(await page.evaluate('window.hacked'), undefined);
});

test.serial('the catalogue is searched over all its pages', async (t) => {
	const server = await withHeadendPage(t);
	server.catalogue = Array.from({length: 2300}, (_, index) => objectOf(index));
	const browser = await withBrowser(t);
	const page = await browser.newPage();
	await page.goto(server.url);
	await page.getByRole('searchbox', {name: 'Search the catalogue'}).fill('SEG 0223');
	await page.getByText('11 of 2,300 objects').waitFor();
	t.is(await page.locator('[aria-label="Found objects"] tbody tr').count(), 11);
	await page.getByRole('searchbox').fill('title');
	await page.getByText('The first 100 of 1,000 objects read').waitFor();
	await page.getByRole('searchbox').fill('');
	await page.locator('[aria-label="Found objects"]').waitFor({state: 'hidden'});
	t.pass();
});
