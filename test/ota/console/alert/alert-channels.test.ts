import test from 'ava';
import {signInToConsole, withConsole} from '#test/helper/with-console.ts';

test('a person makes a notification channel, sees its secret once, and ends it', async (t) => {
	t.timeout(60_000);
	const open = await withConsole(t, {boxes: 0});
	const {page, fleet} = open;
	await signInToConsole(open);
	await page.goto(`${fleet.url}/alerts/channels`);
	await page.getByRole('button', {name: 'New channel'}).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Name').fill('On duty');
	await dialog.getByLabel('URL').fill('https://duty.example/hook');
	await dialog.getByLabel('From severity').selectOption('critical');
	await dialog.getByRole('button', {name: 'Create'}).click();
	await page.getByRole('heading', {name: 'Secret of the webhook, shown this once'}).waitFor();
	const secret = (await dialog.locator('pre').textContent()) ?? '';
	t.true(secret.length >= 32);
	await page.keyboard.press('Escape');
	await dialog.waitFor({state: 'detached'});

	await page.reload();
	const row = page.getByRole('row', {name: 'On duty'});
	await row.getByText('https://duty.example/hook').waitFor();
	const {body} = await fleet.call('GET /alert-channels');
	t.like(body.items[0], {name: 'On duty', severityMin: 'critical'});
	t.false(JSON.stringify(body).includes(secret));
	t.false(((await page.textContent('body')) ?? '').includes(secret));

	await row.getByRole('button', {name: 'End it'}).click();
	await row.waitFor({state: 'detached'});
	t.deepEqual((await fleet.call('GET /alert-channels')).body.items, []);
});
