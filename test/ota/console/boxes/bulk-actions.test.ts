import test from 'ava';
import {signInToConsole, withConsole} from '#test/helper/with-console.ts';

const boxes = 30;
const gone = 'stb-000001';

test('a command to many boxes is one request, which tells of each box', async (t) => {
	t.timeout(90_000);
	const open = await withConsole(t, {boxes});
	const {page, fleet} = open;
	await signInToConsole(open);
	const asked: string[] = [];
	page.on('request', (request) => {
		if (request.method() === 'POST') {
			asked.push(new URL(request.url()).pathname);
		}
	});
	await page.goto(`${fleet.url}/boxes`);
	await page.getByRole('row', {name: 'headend-000000'}).getByRole('checkbox').click();
	await page.getByRole('button', {name: 'Select all that match'}).click();
	await page.getByText(`${boxes} boxes selected`).waitFor();
	// Somebody else revokes one of them meanwhile.
	t.is((await fleet.call(`POST /boxes/${gone}/revoke`, {reason: 'unspecified'})).status, 200);

	await page.getByRole('button', {name: 'Send a command …'}).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Command').selectOption('identify');
	await dialog.getByLabel(`type ${boxes} to be sure`).fill(String(boxes));
	await dialog.getByRole('button', {name: 'Send'}).click();
	await dialog.getByText(`Ended: ${boxes - 1} of ${boxes} done, 1 refused.`).waitFor();
	await dialog.getByRole('link', {name: gone}).waitFor();
	t.deepEqual(asked, ['/api/v1/bulk-actions']);

	const {body: commands} = await fleet.call('GET /commands?limit=100');
	t.is(commands.items.length, boxes - 1);
	const {body: audit} = await fleet.call('GET /audit?action=giveCommand&limit=100');
	t.is(audit.items.length, boxes);
	t.is(audit.items.filter((row: {readonly outcome: string}) => row.outcome === 'refused').length, 1);
});

test('tags of selected boxes are changed, and others keep theirs', async (t) => {
	t.timeout(90_000);
	const open = await withConsole(t, {boxes: 6});
	const {page, fleet} = open;
	await signInToConsole(open);
	await page.goto(`${fleet.url}/boxes`);
	for (const id of ['stb-000001', 'stb-000005']) {
		await page.getByRole('row', {name: id}).getByRole('checkbox').click();
	}
	await page.getByRole('button', {name: 'Change tags …'}).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Add').fill('hotel night');
	await dialog.getByLabel('Take away').fill('beta');
	await dialog.getByRole('button', {name: 'Change tags'}).click();
	await dialog.getByText('Ended: 2 of 2 done, 0 refused.').waitFor();
	await dialog.getByRole('button', {name: 'Close'}).click();
	await page.getByRole('row', {name: 'stb-000005'}).getByText('hotel').waitFor();
	const tagsOf = async (id: string): Promise<unknown> => (await fleet.call(`GET /boxes/${id}`)).body.tags;
	t.deepEqual(await tagsOf('stb-000005'), ['hotel', 'night']);
	t.deepEqual(await tagsOf('stb-000002'), []);
});
