import test from 'ava';
import {signInToConsole, withConsole} from '#test/helper/with-console.ts';

const places = ['boxes', 'rollouts', 'rollouts/new', 'releases', 'alerts', 'sites', 'claims', 'audit', 'accounts'];

test('every page opens under the content security policy without an error', async (t) => {
	t.timeout(120_000);
	const open = await withConsole(t, {boxes: 400});
	const {page, fleet, browser} = open;
	await signInToConsole(open);
	await page.getByRole('link', {name: /^Oslo: /u}).waitFor();
	await page.waitForTimeout(800);
	if (process.env['SHOTS'] !== undefined) {
		await page.screenshot({path: `${process.env['SHOTS']}/overview.png`});
	}
	for (const place of places) {
		await page.goto(`${fleet.url}/${place}`);
		await page.locator('.page-head h1').waitFor();
	}
	for (const tab of ['', '/telemetry', '/events', '/commands', '/log', '/diagnostics', '/config']) {
		await page.goto(`${fleet.url}/boxes/stb-000001${tab}`);
		await page.locator('.tabs [aria-current="page"]').waitFor();
	}
	// xterm.js writes styles of its own, which the policy must not have to allow.
	await page.goto(`${fleet.url}/boxes/stb-000001/terminal`);
	await page.getByRole('button', {name: 'Open a terminal'}).click();
	await page.locator('.xterm-rows').waitFor();
	await page.keyboard.type('uname');
	t.deepEqual(
		browser.errors().filter((error) => !error.includes('status of 401')),
		[],
	);
});
