import test from 'ava';
import {oidcSettingsSchema} from '#ota/fleet/account/oidc-settings.ts';
import {fleetConfigSchema} from '#ota/fleet/config/fleet-config-schema.ts';
import {freePort} from '#test/helper/free-port.ts';
import {signInToConsole, withConsole} from '#test/helper/with-console.ts';
import {withFleet} from '#test/helper/with-fleet.ts';
import {oidcClient, withOidcProvider} from '#test/helper/with-oidc-provider.ts';

test('a console that lost its server says so, and goes on by itself when the server is back', async (t) => {
	t.timeout(120_000);
	const {operator} = fleetConfigSchema.parse({operator: {port: await freePort()}});
	const open = await withConsole(t, {boxes: 20, config: {operator}});
	const {page, fleet} = open;
	await signInToConsole(open);
	await page.getByText('Live', {exact: true}).waitFor();
	const banner = page.getByText('Connection lost: what you see is the last that was heard.');
	t.is(await banner.count(), 0);

	await fleet[Symbol.asyncDispose]();
	await banner.waitFor({timeout: 30_000});
	await page.getByRole('heading', {name: 'Overview'}).waitFor();

	const {stateDirectory, databaseUrl} = fleet;
	await withFleet(t, {stateDirectory, databaseUrl, config: {operator}});
	await page.getByText('Live', {exact: true}).waitFor({timeout: 45_000});
	t.is(await banner.count(), 0);
});

test('single sign-on is offered where it is configured, and signs in', async (t) => {
	t.timeout(90_000);
	const {operator} = fleetConfigSchema.parse({operator: {port: await freePort()}});
	const publicUrl = `http://127.0.0.1:${operator.port}`;
	const provider = await withOidcProvider(t, `${publicUrl}/api/v1/oidc/callback`);
	const oidc = oidcSettingsSchema.parse({
		...{name: 'Company', issuer: provider.issuer, ...oidcClient, publicUrl, scope: 'openid profile groups'},
		...{roleByGroup: {noc: 'operator'}, allowInsecure: true},
	});
	const {page} = await withConsole(t, {boxes: 0, config: {operator, oidc}});
	provider.become({sub: 'u-1', preferred_username: 'mia', name: 'Mia M.', groups: ['noc']});
	await page.goto(publicUrl);
	await page.getByLabel('Password').waitFor();
	await page.getByRole('link', {name: 'Sign in with Company'}).click();
	await page.getByRole('heading', {name: 'Overview'}).waitFor();
	await page.getByText('Mia M.').waitFor();
	t.is(await page.getByRole('button', {name: 'Change your password'}).count(), 0);
});
