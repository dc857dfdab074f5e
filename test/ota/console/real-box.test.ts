import {readFile} from 'node:fs/promises';
import test from 'ava';
import type {Locator, Page} from 'playwright-core';
import {eventually} from '#test/helper/eventually.ts';
import {signInToConsole, withConsole} from '#test/helper/with-console.ts';
import {withFleetMember} from '#test/helper/with-fleet-member.ts';

const gzipMagic = [0x1f, 0x8b];

test('a person types in a terminal of a real box, reads its recording meanwhile, and downloads a bundle of it', async (t) => {
	t.timeout(120_000);
	const open = await withConsole(t, {boxes: 0});
	const {page, fleet} = open;
	const {id} = await withFleetMember(t, fleet, {id: 'stb-watched'});
	await signInToConsole(open);

	await page.goto(`${fleet.url}/boxes/${id}/terminal`);
	await page.getByRole('button', {name: 'Open a terminal'}).click();
	await page.locator('.xterm-rows').waitFor();
	await page
		.locator('.xterm-rows')
		.getByText(/[$#] *$/u)
		.first()
		.waitFor();
	await page.keyboard.type('echo $((6 * 7))-answers\n');
	await page.locator('.xterm-rows').getByText('42-answers').first().waitFor();

	const other = await page.context().newPage();
	await other.goto(`${fleet.url}/boxes/${id}/diagnostics`);
	const growing = other.locator('tr', {hasText: 'growing'}).getByRole('link', {name: 'Download so far'});
	await eventually('the recording has what came so far', async () => {
		const lines = (await readFile(await downloadFrom(other, growing), 'utf8')).split('\n');
		const said = lines.slice(1).map((line) => (line === '' ? '' : (JSON.parse(line)[2] ?? '')));
		return said.join('').includes('42-answers');
	});
	await other.close();

	await page.goto(`${fleet.url}/boxes/${id}/diagnostics`);
	await page.getByRole('button', {name: 'Collect a bundle'}).click();
	const link = page
		.locator('tr', {hasText: /bundle|\.tar\.gz/u})
		.getByRole('link', {name: 'Download'})
		.first();
	await link.waitFor({timeout: 45_000});
	const bytes = await readFile(await downloadFrom(page, link));
	t.deepEqual([...bytes.subarray(0, 2)], gzipMagic);
});

const downloadFrom = async (page: Page, link: Locator): Promise<string> => {
	const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
	return await download.path();
};
