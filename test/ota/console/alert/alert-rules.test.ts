import test from 'ava';
import {signInToConsole, withConsole} from '#test/helper/with-console.ts';

test('a person changes an alert rule, and it is as typed after a reload', async (t) => {
	t.timeout(60_000);
	const open = await withConsole(t, {boxes: 0});
	const {page, fleet} = open;
	await signInToConsole(open);
	await page.goto(`${fleet.url}/alerts/rules`);
	await page.getByRole('row', {name: 'temperature'}).getByRole('button', {name: 'Change …'}).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Severity').selectOption('critical');
	await dialog.getByLabel('Raised at, °C').fill('77.5');
	await dialog.getByLabel('Cleared at, °C').fill('70');
	await dialog.getByLabel('When it lasted, minutes').fill('7');
	await dialog.getByRole('button', {name: 'Save'}).click();
	await dialog.waitFor({state: 'detached'});

	await page.reload();
	const row = page.getByRole('row', {name: 'temperature'});
	await row.getByText('77.5 °C').waitFor();
	await row.getByText('critical').waitFor();
	await row.getByText('7 min').waitFor();
	const {body} = await fleet.call('GET /alert-rules');
	t.like(
		body.items.find(({rule}: {readonly rule: string}) => rule === 'temperature'),
		{severity: 'critical', raiseAt: 77.5, clearAt: 70, raiseAfterMs: 420_000, enabled: true},
	);
});
