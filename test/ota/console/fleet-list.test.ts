import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {goToBoxesByKeys, signInToConsole, withConsole} from '#test/helper/with-console.ts';

const boxes = 100_000;
/** Rows in the document, however long the list is. */
const rowsMax = 80;

test('a person signs in and filters a fleet of a hundred thousand', async (t) => {
	t.timeout(120_000);
	const open = await withConsole(t, {boxes});
	const {page, browser} = open;
	await signInToConsole(open);
	await page.getByText('100,000', {exact: true}).first().waitFor();

	await goToBoxesByKeys(page);
	await page.getByRole('heading', {name: 'Boxes'}).waitFor();
	await page.getByRole('link', {name: 'headend-000000'}).waitFor();
	t.true((await page.locator('.rows-line').count()) < rowsMax);

	await page.keyboard.press('/');
	await page.keyboard.type('kind=pop-node site=oslo health!=ok');
	await page.waitForURL(/filter=/u);
	await page
		.getByRole('link', {name: /^pop-node-/u})
		.first()
		.waitFor();
	await page.waitForFunction(
		`[...document.querySelectorAll('.rows-line')].every((row, index, rows) => rows.length > 0 && row.textContent.includes('oslo'))`,
	);

	await page.getByLabel('Filter of boxes').fill('kindd=stb');
	await page.locator('.filter-wrong mark').waitFor();
	t.regex((await page.locator('.filter-wrong').textContent()) ?? '', /kindd/u);
	t.deepEqual(
		browser.errors().filter((error) => !/status of 40[01]/u.test(error)),
		[],
	);
});

test('a list is scrolled page by page and keeps its document small', async (t) => {
	t.timeout(120_000);
	const open = await withConsole(t, {boxes: 2400});
	const {page} = open;
	await signInToConsole(open);
	await page.goto(`${open.fleet.url}/boxes?filter=kind%3Dstb`);
	await page.getByRole('link', {name: /^stb-/u}).first().waitFor();
	await page.getByRole('grid').focus();
	// Each goes to the end of what has come so far.
	await eventually(
		'far down in the list',
		async () => {
			await page.keyboard.press('End');
			return Number(await page.locator('.rows-line').last().getAttribute('aria-rowindex')) > 800;
		},
		{intervalMs: 150},
	);
	t.true((await page.locator('.rows-line').count()) < rowsMax);
});

test.serial('what is scrolled to while the list is asked for again comes after that', async (t) => {
	t.timeout(120_000);
	const open = await withConsole(t, {boxes: 600});
	const {page, fleet} = open;
	await signInToConsole(open);
	await page.goto(`${fleet.url}/boxes`);
	await page.getByRole('link', {name: 'headend-000000'}).waitFor();
	const held = Promise.withResolvers<void>();
	const isBeginning = (url: URL) => url.pathname === '/api/v1/boxes' && !url.searchParams.has('cursor');
	await page.route(isBeginning, async (route) => {
		await held.promise;
		await route.continue();
	});
	const {headers} = await fleet.call('GET /boxes/headend-000000');
	const [changed] = await Promise.all([
		fleet.call('PATCH /boxes/headend-000000', {tags: ['changed']}, {'If-Match': headers.get('ETag') ?? ''}),
		page.waitForRequest((request) => isBeginning(new URL(request.url()))),
	]);
	t.is(changed.status, 200);
	await page.getByRole('grid').focus();
	await page.keyboard.press('End');
	const lastRow = async () => Number(await page.locator('.rows-line').last().getAttribute('aria-rowindex'));
	await eventually('the end of what has come', async () => (await lastRow()) > 100);
	const shown = await lastRow();
	held.resolve();
	await eventually('more of it', async () => (await lastRow()) > shown);
});
