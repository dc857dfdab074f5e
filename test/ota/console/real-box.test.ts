import {readFile} from 'node:fs/promises';
import test from 'ava';
import {signInToConsole, withConsole} from '#test/helper/with-console.ts';
import {withFleetMember} from '#test/helper/with-fleet-member.ts';

const gzipMagic = [0x1f, 0x8b];

test('a person types in a terminal of a real box, and downloads a bundle of it', async (t) => {
	t.timeout(120_000);
	const open = await withConsole(t, {boxes: 0});
	const {page, fleet} = open;
	const {id} = await withFleetMember(t, fleet, {id: 'stb-watched'});
	await signInToConsole(open);

	await page.goto(`${fleet.url}/boxes/${id}/terminal`);
	await page.getByRole('button', {name: 'Open a terminal'}).click();
	await page.locator('.xterm-rows').waitFor();
	await page.waitForTimeout(1500);
	await page.keyboard.type('echo $((6 * 7))-answers\n');
	await page.locator('.xterm-rows').getByText('42-answers').first().waitFor();

	await page.goto(`${fleet.url}/boxes/${id}/diagnostics`);
	await page.getByRole('button', {name: 'Collect a bundle'}).click();
	const link = page
		.locator('tr', {hasText: /bundle|\.tar\.gz/u})
		.getByRole('link', {name: 'Download'})
		.first();
	await link.waitFor({timeout: 45_000});
	const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
	const bytes = await readFile(await download.path());
	t.deepEqual([...bytes.subarray(0, 2)], gzipMagic);
});
