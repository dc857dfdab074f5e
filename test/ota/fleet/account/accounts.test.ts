import test, {type ExecutionContext} from 'ava';
import {hashPassword, verifyPassword} from '#ota/fleet/account/hash-password.ts';
import {cookieOf, testPassword, withFleetApi} from '#test/helper/with-fleet-api.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';

// One at a time: so many passwords at once are refused.
for (const engine of databaseEngines) {
	test.serial(`the first admin is made once, and must change the password first (${engine})`, async (t) => {
		const {accounts, call} = await withFleetApi(t, {engine});
		const [one, other] = await Promise.all([accounts.makeFirstAdmin(), accounts.makeFirstAdmin()]);
		const first = one ?? other;
		t.is([one, other].filter((made) => made !== undefined).length, 1, 'of two servers one makes it');
		t.is(await accounts.makeFirstAdmin(), undefined);
		const signedIn = await call('POST /session', {body: first});
		t.is(signedIn.status, 201);
		t.true(signedIn.body.account.mustChangePassword);
		const cookie = cookieOf(signedIn.headers);
		t.is((await call('GET /accounts', {cookie})).body.code, 'OTA_API_PASSWORD_CHANGE_REQUIRED');
		t.is((await call('GET /session', {cookie})).status, 200);
		const weak = await call('PUT /session/password', {
			cookie,
			body: {current: first?.password, next: 'admin-admin-admin'},
		});
		t.is(weak.body.code, 'OTA_ACCOUNT_PASSWORD_WEAK');
		const changed = await call('PUT /session/password', {cookie, body: {current: first?.password, next: testPassword}});
		t.is(changed.status, 204);
		const listed = await call('GET /accounts', {cookie});
		t.deepEqual(
			listed.body.items.map(({name, role}: {name: string; role: string}) => [name, role]),
			[['admin', 'admin']],
		);
		t.false(/argon2|hash/u.test(listed.text), 'no hash leaves the server');
	});

	test.serial(
		`sessions end by idling, by age and by signing out, and a stolen database opens none (${engine})`,
		async (t) => {
			const {call, signInAs, advance, store} = await withFleetApi(t, {engine});
			const cookie = await signInAs('viewer', 'ann');
			t.is((await call('GET /session', {cookie})).body.account.name, 'ann');
			const {id_hash: stored} = await store.database.selectFrom('session').select('id_hash').executeTakeFirstOrThrow();
			t.is((await call('GET /session', {cookie: `streamverse=${stored}`})).status, 401);
			for (let hour = 0; hour < 22; hour++) {
				advance(7 * 3_600_000);
				t.is((await call('GET /session', {cookie})).status, 200, 'in use');
			}
			advance(14 * 3_600_000);
			t.is((await call('GET /session', {cookie})).status, 401, 'too old');
			const second = cookieOf((await call('POST /session', {body: {name: 'ann', password: testPassword}})).headers);
			advance(12 * 3_600_000);
			t.is((await call('GET /session', {cookie: second})).status, 401, 'idle');
			const third = cookieOf((await call('POST /session', {body: {name: 'ann', password: testPassword}})).headers);
			const fourth = await call('POST /session', {cookie: third, body: {name: 'ann', password: testPassword}});
			t.is((await call('GET /session', {cookie: third})).status, 401, 'a sign-in ends the session that it came with');
			t.is((await call('DELETE /session', {cookie: cookieOf(fourth.headers)})).status, 204);
			t.is((await call('GET /session', {cookie: cookieOf(fourth.headers)})).status, 401);
		},
	);

	test.serial(
		`wrong passwords cost a growing wait that a right one does not pass, and a name unknown answers alike (${engine})`,
		async (t) => {
			const {call, signInAs, advance} = await withFleetApi(t, {engine});
			await signInAs('viewer', 'bob');
			const attempt = (password: string, name = 'bob') => call('POST /session', {body: {name, password}});
			const unknown = await attempt('wrong', 'nobody');
			for (let count = 0; count < 5; count++) {
				const refused = await attempt('wrong');
				t.is(refused.status, 401);
				t.deepEqual(refused.body, unknown.body);
			}
			const blocked = await attempt(testPassword);
			t.is(blocked.status, 429);
			t.is(blocked.headers.get('retry-after'), '5');
			advance(5001);
			t.is((await attempt('wrong')).status, 401);
			t.is((await attempt(testPassword)).headers.get('retry-after'), '10');
			advance(10_001);
			t.is((await attempt(testPassword)).status, 201);
			t.is((await attempt('wrong')).status, 401, 'forgiven');
			t.is((await attempt(testPassword)).status, 201);
		},
	);

	test.serial(
		`the last admin can neither be removed, demoted nor disabled, not even by two at once (${engine})`,
		async (t) => {
			const {call, signInAs} = await withFleetApi(t, {engine});
			const ann = await signInAs('admin', 'ann');
			const bob = await signInAs('admin', 'bob');
			const idOf = async (name: string): Promise<string> =>
				(await call('GET /accounts', {cookie: ann})).body.items.find((item: {name: string}) => item.name === name).id;
			const [annId, bobId] = [await idOf('ann'), await idOf('bob')];
			const headers = {'if-match': '"1"'};
			const answers = await Promise.all([
				call(`PATCH /accounts/${bobId}`, {cookie: ann, headers, body: {role: 'viewer'}}),
				call(`DELETE /accounts/${annId}`, {cookie: bob, headers}),
			]);
			const refused = answers.filter(({status}) => status >= 400);
			t.is(refused.length, 1);
			t.true([409, 401, 403].includes(refused[0]?.status ?? 0));
			const left = answers[0].status === 200 ? {cookie: ann, id: annId} : {cookie: bob, id: bobId};
			for (const [operation, body] of [
				['PATCH', {role: 'operator'}],
				['PATCH', {disabled: true}],
				['DELETE', undefined],
			] as const) {
				const answer = await call(`${operation} /accounts/${left.id}`, {cookie: left.cookie, headers, body});
				t.is(answer.body.code, 'OTA_ACCOUNT_LAST_ADMIN');
			}
		},
	);

	test.serial(
		`a token acts with the lesser role, shows itself once, and ends with its date or its account (${engine})`,
		async (t) => {
			const {call, signInAs, advance, store} = await withFleetApi(t, {engine});
			const admin = await signInAs('admin', 'root');
			const cookie = await signInAs('operator', 'eve');
			t.is(
				(await call('POST /tokens', {cookie, body: {name: 'x', role: 'admin'}})).body.code,
				'OTA_ACCOUNT_ROLE_TOO_HIGH',
			);
			const make = async (lifeDays: number) =>
				(await call('POST /tokens', {cookie, body: {name: 'backup', role: 'viewer', lifeDays}})).body;
			const {token, entry} = await make(1);
			t.true(token.startsWith(entry.prefix));
			t.is((await call('GET /session', {token})).body.account.role, 'viewer');
			const listed = await call('GET /tokens', {cookie});
			t.is(listed.body.items.length, 1);
			t.false(listed.text.includes(token));
			t.false(JSON.stringify(await store.database.selectFrom('api_token').selectAll().execute()).includes(token));
			t.is((await call('GET /session', {token: `${token}x`})).status, 401);
			t.is(
				(await call('GET /session', {token: 'svt_x', cookie})).status,
				401,
				'a wrong token is nobody, cookie or not',
			);
			const second = await make(300);
			advance(86_400_001);
			t.is((await call('GET /session', {token})).status, 401, 'expired');
			t.is((await call('GET /session', {token: second.token})).status, 200);
			const signedIn = cookieOf((await call('POST /session', {body: {name: 'root', password: testPassword}})).headers);
			t.not(signedIn, admin);
			const {items} = (await call('GET /accounts', {cookie: signedIn})).body;
			const eve = items.find((item: {name: string}) => item.name === 'eve');
			const off = await call(`PATCH /accounts/${eve.id}`, {
				cookie: signedIn,
				headers: {'if-match': `"${eve.editVersion}"`},
				body: {disabled: true},
			});
			t.is(off.status, 200);
			t.is((await call('GET /session', {token: second.token})).status, 401, 'disabled');
			t.is((await call(`DELETE /tokens/${second.entry.id}`, {cookie: signedIn})).status, 404);
		},
	);
}

test.serial('an account made by an admin begins with a one-time password; a reset ends its sessions', async (t) => {
	const {call, signInAs} = await withFleetApi(t);
	const cookie = await signInAs('admin');
	const made = await call('POST /accounts', {cookie, body: {name: 'tom', displayName: 'Tom', role: 'operator'}});
	t.is(made.status, 201);
	const first = await call('POST /session', {body: {name: 'tom', password: made.body.oneTimePassword}});
	t.is(first.status, 201);
	t.is((await call('POST /accounts', {cookie, body: {name: 'tom', displayName: 'T', role: 'viewer'}})).status, 409);
	const reset = await call(`POST /accounts/${made.body.account.id}/password-reset`, {cookie});
	t.not(reset.body.oneTimePassword, made.body.oneTimePassword);
	t.is((await call('GET /session', {cookie: cookieOf(first.headers)})).status, 401);
	t.is((await call('POST /session', {body: {name: 'tom', password: made.body.oneTimePassword}})).status, 401);
});

/** An account with a session and two tokens, and what an admin does to it. */
const prepareTokens = async (t: ExecutionContext) => {
	const {call, signInAs, audit} = await withFleetApi(t);
	const admin = await signInAs('admin');
	const cookie = await signInAs('approver', 'tom');
	const {items} = (await call('GET /accounts', {cookie: admin})).body;
	const {id} = items.find((item: {name: string}) => item.name === 'tom');
	const make = async (role: string) => (await call('POST /tokens', {cookie, body: {name: role, role}})).body;
	const [viewer, approver] = [await make('viewer'), await make('approver')];
	const works = async () =>
		await Promise.all(
			[{token: viewer.token}, {token: approver.token}, {cookie}].map(
				async (by) => (await call('GET /session', by)).status === 200,
			),
		);
	return {
		works,
		detail: async () => (await audit.list({limit: 1})).items[0]?.detail,
		reset: (body?: unknown) => call(`POST /accounts/${id}/password-reset`, {cookie: admin, body}),
		patch: async (body: unknown) => {
			const etag = (await call(`GET /accounts/${id}`, {cookie: admin})).headers.get('etag') ?? '';
			return await call(`PATCH /accounts/${id}`, {cookie: admin, headers: {'if-match': etag}, body});
		},
		remove: () => call(`DELETE /tokens/${viewer.entry.id}`, {cookie: admin}),
	};
};

test.serial(
	'a password reset ends sessions and tokens, unless the tokens are to be kept; the audit log says which',
	async (t) => {
		const kept = await prepareTokens(t);
		t.is((await kept.reset({keepTokens: true})).status, 200);
		t.deepEqual(await kept.works(), [true, true, false]);
		t.deepEqual(await kept.detail(), {asked: {keepTokens: true}, sessionsEnded: 1, tokensEnded: 0});
		t.is((await kept.reset()).status, 200, 'without a body');
		t.deepEqual(await kept.works(), [false, false, false]);
		t.deepEqual(await kept.detail(), {asked: null, sessionsEnded: 0, tokensEnded: 2});
		t.is((await kept.remove()).status, 404);
	},
);

test.serial('a lesser role ends the tokens that had a greater one, and they do not come back with it', async (t) => {
	const {patch, works, detail, remove} = await prepareTokens(t);
	t.is((await patch({displayName: 'Tom'})).status, 200);
	t.deepEqual(await works(), [true, true, true]);
	t.is((await patch({role: 'operator'})).status, 200);
	t.deepEqual(await detail(), {asked: {role: 'operator'}, sessionsEnded: 1, tokensEnded: 1});
	t.is((await patch({role: 'admin'})).status, 200);
	t.deepEqual(await works(), [true, false, false]);
	t.is((await remove()).status, 204);
});

test.serial('the tokens of an account that was disabled do not come back with it, unless they were kept', async (t) => {
	const {patch, works} = await prepareTokens(t);
	for (const [keepTokens, isBack] of [
		[true, true],
		[false, false],
	]) {
		await patch({disabled: true, keepTokens});
		t.deepEqual(await works(), [false, false, false]);
		await patch({disabled: false});
		t.deepEqual(await works(), [isBack, isBack, false]);
	}
});

test.serial('a password is kept by the cost that OWASP names, and an older cost is told', async (t) => {
	const stored = await hashPassword('correct horse battery');
	t.regex(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/u);
	t.deepEqual(await verifyPassword('correct horse battery', stored), {isRight: true, isOutdated: false});
	t.false((await verifyPassword('correct horse batterY', stored)).isRight);
	t.false((await verifyPassword('x', null)).isRight);
	t.false((await verifyPassword('x', 'plain')).isRight);
});
