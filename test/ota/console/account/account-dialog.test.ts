import test from 'ava';
import {addConsoleAccount, signInToConsole, withConsole} from '#test/helper/with-console.ts';
import {adminPassword, fleetCall, signInToFleet} from '#test/helper/with-fleet.ts';

test('an admin resets a password: old sessions end, and the one-time password has to be changed first', async (t) => {
	t.timeout(90_000);
	const open = await withConsole(t, {boxes: 0});
	const {page, fleet, browser} = open;
	await addConsoleAccount(fleet, 'olga', 'operator');
	const cookie = await signInToFleet(fleet.url, 'olga', adminPassword);
	const asOlga = fleetCall(fleet.url, {Cookie: cookie});
	t.is((await asOlga('GET /boxes')).status, 200);

	await signInToConsole(open);
	await page.goto(`${fleet.url}/accounts`);
	await page.getByRole('row', {name: 'olga'}).getByRole('button', {name: 'Change …'}).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByRole('button', {name: 'Reset the password …'}).click();
	await dialog.getByRole('button', {name: 'Reset the password', exact: true}).click();
	const oneTime = ((await dialog.locator('pre').textContent()) ?? '').trim();
	t.true(oneTime.length >= 12);
	t.is((await asOlga('GET /boxes')).status, 401);
	t.is(await signInToFleet(fleet.url, 'olga', adminPassword), '');

	const hers = await browser.newPage();
	await hers.goto(fleet.url);
	await hers.getByLabel('Name').fill('olga');
	await hers.getByLabel('Password').fill(oneTime);
	await hers.getByRole('button', {name: 'Sign in', exact: true}).click();
	await hers.getByRole('heading', {name: /password/iu}).waitFor();
	t.is(await hers.getByRole('heading', {name: 'Overview'}).count(), 0);
});
