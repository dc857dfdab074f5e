import test, {type ExecutionContext} from 'ava';
import {localPath} from '#ota/fleet/account/oidc-login.ts';
import {oidcSettingsSchema} from '#ota/fleet/account/oidc-settings.ts';
import {freePort} from '#test/helper/free-port.ts';
import {type TestFleetApi, withFleetApi} from '#test/helper/with-fleet-api.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';
import {oidcClient, type TestOidcProvider, withOidcProvider} from '#test/helper/with-oidc-provider.ts';

/** A browser's cookies, by host. */
const createBrowser = () => {
	const jar = new Map<string, Map<string, string>>();
	return {
		cookies: (host: string): string => [...(jar.get(host) ?? [])].map(([name, value]) => `${name}=${value}`).join('; '),
		visit: async (url: string): Promise<Response> => {
			let next = url;
			for (let hop = 0; hop < 12; hop++) {
				const {host} = new URL(next);
				const cookies = jar.get(host) ?? new Map<string, string>();
				jar.set(host, cookies);
				const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
				const answer = await fetch(next, {redirect: 'manual', headers: {cookie}});
				for (const line of answer.headers.getSetCookie()) {
					const [name = '', value = ''] = line.split(';')[0]?.split(/=(.*)/u) ?? [];
					if (value === '' || /max-age=0/iu.test(line)) {
						cookies.delete(name);
					} else {
						cookies.set(name, value);
					}
				}
				const location = answer.headers.get('location');
				if (location === null) {
					return answer;
				}
				await answer.body?.cancel();
				next = new URL(location, next).href;
			}
			throw new Error('it goes round in circles');
		},
	};
};

const withSignIn = async (
	t: ExecutionContext,
	engine: 'sqlite' | 'postgres' = 'sqlite',
): Promise<{api: TestFleetApi; provider: TestOidcProvider}> => {
	const port = await freePort();
	const baseUrl = `http://127.0.0.1:${port}`;
	const provider = await withOidcProvider(t, `${baseUrl}/api/v1/oidc/callback`);
	const settings = oidcSettingsSchema.parse({
		name: 'Company',
		issuer: provider.issuer,
		...oidcClient,
		publicUrl: baseUrl,
		scope: 'openid profile groups',
		roleByGroup: {noc: 'operator', 'noc-lead': 'approver'},
		allowInsecure: true,
	});
	return {provider, api: await withFleetApi(t, {engine, port, oidc: settings})};
};

for (const engine of databaseEngines) {
	test(`who signs in at the provider has the role of their groups, today's each time (${engine})`, async (t) => {
		const {api, provider} = await withSignIn(t, engine);
		const {host} = new URL(api.baseUrl);
		t.deepEqual((await api.call('GET /login-methods')).body, {
			password: true,
			oidc: {name: 'Company', startPath: '/api/v1/oidc/start'},
		});
		provider.become({sub: 'u-1', preferred_username: 'Mia', name: 'Mia M.', groups: ['staff', 'noc', 'noc-lead']});
		const browser = createBrowser();
		const page = await browser.visit(`${api.baseUrl}/api/v1/oidc/start?returnTo=/boxes%3Ffilter=a`);
		t.is(page.status, 200, await page.clone().text());
		t.regex(await page.text(), /url=\/boxes\?filter=a"/u);
		const session = await api.call('GET /session', {cookie: browser.cookies(host)});
		t.like(session.body.account, {name: 'mia', displayName: 'Mia M.', role: 'approver', external: true});
		provider.become({sub: 'u-1', preferred_username: 'mia2', groups: ['noc']});
		const again = createBrowser();
		await again.visit(`${api.baseUrl}/api/v1/oidc/start`);
		const second = await api.call('GET /session', {cookie: again.cookies(host)});
		t.like(second.body.account, {id: session.body.account.id, name: 'mia', role: 'operator'});
		const first = await api.call('GET /session', {cookie: browser.cookies(host)});
		t.is(first.body.account.role, 'operator', 'in every session');
		const {items} = await api.audit.list({limit: 10, action: 'signInByOidc'});
		t.deepEqual(
			items.map(({actorName, actorRole}) => [actorName, actorRole]),
			[
				['mia', 'operator'],
				['mia', 'approver'],
			],
		);
	});
}

test('a name that the provider gives opens no account of that name', async (t) => {
	const {api, provider} = await withSignIn(t);
	const local = await api.signInAs('admin', 'root');
	provider.become({sub: 'u-2', preferred_username: 'root', groups: ['noc']});
	const browser = createBrowser();
	t.is((await browser.visit(`${api.baseUrl}/api/v1/oidc/start`)).status, 200);
	const {account} = (await api.call('GET /session', {cookie: browser.cookies(new URL(api.baseUrl).host)})).body;
	t.regex(account.name, /^root\+[\da-f]{8}$/u);
	t.is(account.role, 'operator');
	t.is((await api.call('GET /session', {cookie: local})).body.account.role, 'admin');
});

test('who has no group, is disabled, or did not begin here is refused', async (t) => {
	const {api, provider} = await withSignIn(t);
	const start = `${api.baseUrl}/api/v1/oidc/start`;
	provider.become({sub: 'u-3', preferred_username: 'tim', groups: ['staff', '__proto__', 'constructor']});
	const refused = await createBrowser().visit(start);
	t.is(refused.status, 403);
	t.is(((await refused.json()) as {code: string}).code, 'OTA_ACCOUNT_OIDC_NO_ROLE');
	t.is((await createBrowser().visit(`${api.baseUrl}/api/v1/oidc/callback?code=x&state=y`)).status, 400);
	provider.become({sub: 'u-3', preferred_username: 'tim', groups: ['noc']});
	t.is((await createBrowser().visit(start)).status, 200);
	await api.store.database.updateTable('account').set({disabled: 1}).where('name', '=', 'tim').execute();
	t.is((await createBrowser().visit(start)).status, 403);
	const begun = await fetch(start, {redirect: 'manual'});
	const cookie = begun.headers.getSetCookie()[0]?.split(';')[0] ?? '';
	const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? '';
	const forged = `${api.baseUrl}/api/v1/oidc/callback?code=guess&state=${state}&iss=${encodeURIComponent(provider.issuer)}`;
	t.is((await fetch(forged, {headers: {cookie}})).status, 401, 'a guessed code');
	t.is((await fetch(forged, {headers: {cookie}})).status, 400, 'and only once');
	t.regex(begun.headers.get('location') ?? '', /code_challenge_method=S256/u);
	const {items} = await api.audit.list({limit: 10, action: 'signInByOidc', outcome: 'refused'});
	t.deepEqual(
		items.map(({code}) => code),
		['OTA_ACCOUNT_OIDC_FAILED', 'OTA_ACCOUNT_SIGN_IN_REFUSED', 'OTA_ACCOUNT_OIDC_NO_ROLE'],
	);
	const many = await Promise.all(Array.from({length: 40}, () => fetch(start, {redirect: 'manual'})));
	t.true(many.some(({status}) => status === 429));
});

test('after the sign-in one lands on a page of ours only', (t) => {
	t.is(localPath('/boxes?filter=site=x'), '/boxes?filter=site=x');
	for (const elsewhere of [
		'//evil.example',
		'/\\evil.example',
		'https://evil.example',
		'/a"><script>',
		'/\nx',
		undefined,
		['/a'],
	]) {
		t.is(localPath(elsewhere), '/');
	}
});
