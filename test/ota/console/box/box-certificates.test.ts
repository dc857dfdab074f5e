import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {signInToConsole, withConsole} from '#test/helper/with-console.ts';
import {withFleetBox} from '#test/helper/with-fleet.ts';

test('an admin revokes one certificate of a box, which is cut off', async (t) => {
	t.timeout(90_000);
	const open = await withConsole(t, {boxes: 0});
	const {page, fleet} = open;
	const stolen = await withFleetBox(t, fleet, 'stb-stolen');
	const honest = await withFleetBox(t, fleet, 'stb-honest');
	await eventually('both are connected', () => stolen.isConnected() && honest.isConnected());
	await signInToConsole(open);
	await page.goto(`${fleet.url}/boxes/stb-stolen/certificates`);
	const row = page.getByRole('row', {name: 'valid'});
	await row.getByRole('button', {name: 'Revoke …'}).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Reason').selectOption('keyCompromise');
	await dialog.getByRole('button', {name: 'Revoke', exact: true}).click();
	await dialog.waitFor({state: 'detached'});
	await page.getByRole('row', {name: 'revoked'}).getByText('keyCompromise').waitFor();

	const {body} = await fleet.call('GET /boxes/stb-stolen/certificates');
	t.deepEqual(
		body.items.map(({state}: {readonly state: string}) => state),
		['revoked'],
	);
	await eventually('it is cut off', () => !stolen.isConnected());
	const presence = async (id: string) => (await fleet.call(`GET /boxes/${id}`)).body.presence;
	await eventually('the fleet sees it go', async () => (await presence('stb-stolen')) === 'offline');
	t.is(await presence('stb-honest'), 'online');
	t.true(honest.isConnected());
});
