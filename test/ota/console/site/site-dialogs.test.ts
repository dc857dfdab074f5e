import test from 'ava';
import {signInToConsole, withConsole} from '#test/helper/with-console.ts';

test('a person edits a site, and a change that somebody else made in between is not overwritten', async (t) => {
	t.timeout(60_000);
	const open = await withConsole(t, {boxes: 0});
	const {page, fleet} = open;
	await signInToConsole(open);
	await page.goto(`${fleet.url}/sites`);
	const change = page.getByRole('row', {name: 'Lagos'}).getByRole('button', {name: 'Change …'});
	const dialog = page.getByRole('dialog');
	await change.click();
	await dialog.getByLabel('Name').fill('Lagos Island');
	await dialog.getByLabel('Maintenance windows').fill('6 7 01:00-04:30');
	await dialog.getByRole('button', {name: 'Save'}).click();
	await dialog.waitFor({state: 'detached'});
	await page.getByRole('row', {name: 'Lagos Island'}).waitFor();
	const {body, headers} = await fleet.call('GET /sites/lagos');
	t.like(body, {name: 'Lagos Island', timeZone: 'Africa/Lagos', latitude: 6.52});
	t.deepEqual(body.windows, [{days: [6, 7], from: '01:00', to: '04:30'}]);

	await change.click();
	const save = dialog.getByRole('button', {name: 'Save'});
	await page.locator('dialog button[type=submit]:enabled').waitFor();
	const {latitude, longitude, timeZone, windows} = body;
	const site = {name: 'Theirs', latitude, longitude, timeZone, windows};
	t.is((await fleet.call('PUT /sites/lagos', site, {'If-Match': headers.get('etag') ?? ''})).status, 200);
	await dialog.getByLabel('Name').fill('Mine');
	await save.click();
	await page.getByText(/Somebody changed it/u).waitFor();
	t.is((await fleet.call('GET /sites/lagos')).body.name, 'Theirs');
});
