import test from 'ava';
import type {Page} from 'playwright-core';
import {waitForKeys, withConsole} from '#test/helper/with-console.ts';
import {adminPassword} from '#test/helper/with-fleet.ts';

const tabsMax = 60;
/** The one set-top box of the first three hundred that `withConsole` makes critical. */
const id = 'stb-000211';

/** Presses Tab until what has the focus is called so, as somebody without a mouse does. */
const tabTo = async (page: Page, name: string): Promise<void> => {
	for (let times = 0; times < tabsMax; times += 1) {
		await page.keyboard.press('Tab');
		const focused = await page.evaluate<string>('document.activeElement?.textContent?.trim() ?? ""');
		if (focused === name) {
			return;
		}
	}
	throw new Error(`No Tab leads to ${name}.`);
};

test('by keyboard alone a person signs in, finds the sick box, opens it and reads its log', async (t) => {
	t.timeout(120_000);
	const open = await withConsole(t, {boxes: 300});
	const {page, fleet} = open;
	await page.goto(fleet.url);
	await page.getByLabel('Name').waitFor();
	await page.keyboard.type('admin');
	await page.keyboard.press('Tab');
	await page.keyboard.type(adminPassword);
	await page.keyboard.press('Enter');
	await page.getByRole('heading', {name: 'Overview'}).waitFor();
	await waitForKeys(page);

	await page.keyboard.press('/');
	await page.locator('[data-search]:focus').waitFor();
	await page.keyboard.type('kind=stb health=critical ');
	await page.keyboard.press('Escape');
	await page.getByRole('link', {name: id}).waitFor();
	await page.waitForURL(/filter=/u);
	await page.keyboard.press('Escape');
	await page.keyboard.press('Tab');
	for (let times = 0; times < tabsMax; times += 1) {
		if (await page.evaluate('document.activeElement?.getAttribute("role") === "grid"')) {
			break;
		}
		await page.keyboard.press('Tab');
	}
	await page.keyboard.press('Home');
	await page.keyboard.press('Enter');
	await page.waitForURL(new RegExp(`/boxes/${id}$`, 'u'));

	await tabTo(page, 'Live log');
	await page.keyboard.press('Enter');
	await page.waitForURL(/\/log$/u);
	await tabTo(page, 'Follow');
	await page.keyboard.press('Enter');
	await page.getByRole('log').waitFor();
	t.is(await page.getByText('Choose what you want to see').count(), 0);
});
