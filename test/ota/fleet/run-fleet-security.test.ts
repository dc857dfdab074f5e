import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {Validator} from '@seriousme/openapi-schema-validator';
import test, {type ExecutionContext} from 'ava';
import {z} from 'zod';
import {sleep} from '#appliance/time/sleep.ts';
import {problemSchema} from '#ota/contract/problem.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type FleetCall, fleetCall} from '#test/helper/with-fleet.ts';
import {cookieOf} from '#test/helper/with-fleet-api.ts';
import {databaseEngines, withFleetDatabaseUrl} from '#test/helper/with-fleet-database.ts';
import {type TestProcess, withProcess} from '#test/helper/with-process.ts';

const adminPassword = 'four words that belong apart';
const viewerPassword = 'four unrelated viewer words';
const configured = {
	clientSecret: 'client-secret-of-the-file',
	saslPassword: 'sasl-password-of-the-file',
	smtpPassword: 'smtp-password-of-the-file',
};

const config = `log: {level: trace}
oidc:
  name: Company
  issuer: https://127.0.0.1:1/
  clientId: fleet
  clientSecret: ${configured.clientSecret}
  publicUrl: http://127.0.0.1:1/
  roleByGroup: {noc: operator}
kafka:
  brokers: ['127.0.0.1:1']
  sasl: {mechanism: PLAIN, username: fleet, password: ${configured.saslPassword}}
smtp:
  host: 127.0.0.1
  port: 1
  from: fleet@example.org
  auth: {user: fleet, pass: ${configured.smtpPassword}}
`;

type RunningFleet = {readonly url: string; readonly process: TestProcess; readonly oneTimePassword: string};

/** The whole server as its command starts it, with every log that it can write. */
const withRunningFleet = async (t: ExecutionContext, engine: DatabaseEngine): Promise<RunningFleet> => {
	const directory = await withDirectory(t);
	const file = path.join(directory, 'fleet.yaml');
	await writeFile(file, config);
	const databaseUrl = await withFleetDatabaseUrl(t, engine);
	const process = withProcess(t, {
		environment: {DATABASE_URL: databaseUrl},
		script: 'cli/main.ts',
		args: ['fleet', '--state', path.join(directory, 'state'), '--config', file, '--port', '0'],
	});
	const ended = process.ended.then(({code}) => {
		throw new Error(`the fleet ended with ${code}: ${process.output()}`);
	});
	const url = await Promise.race([
		ended,
		eventually('the fleet is ready', () => /"url":"(http:[^"]+)"/u.exec(process.output())?.[1], {timeoutMs: 60_000}),
	]);
	const oneTimePassword = await eventually(
		'its first password is shown',
		() => /\b((?:[a-z2-9]{6}-){3}[a-z2-9]{6})\b/u.exec(process.output())?.[1],
	);
	ended.catch(() => undefined);
	return {url, process, oneTimePassword};
};

const tokenSchema = z.object({token: z.string()});

/** Signs in, changes the password that was given, and makes a token. */
const takeOver = async (
	url: string,
	name: string,
	given: string,
	next: string,
): Promise<{cookie: string; token: string}> => {
	const anybody = fleetCall(url, {});
	const first = await anybody('POST /session', {name, password: given});
	await fleetCall(url, {Cookie: cookieOf(first.headers)})('PUT /session/password', {current: given, next});
	const own = await anybody('POST /session', {name, password: next});
	const cookie = cookieOf(own.headers);
	const role = own.body.account.role;
	const {token} = tokenSchema.parse((await fleetCall(url, {Cookie: cookie})('POST /tokens', {name: 'x', role})).body);
	return {cookie, token};
};

const documentSchema = z.object({
	paths: z.record(
		z.string(),
		z.record(
			z.string(),
			z.object({
				description: z.string(),
				parameters: z.array(z.object({name: z.string(), in: z.string()})),
				requestBody: z.object({content: z.record(z.string(), z.unknown())}).optional(),
			}),
		),
	),
});

type Operation = {
	readonly name: string;
	readonly least: string;
	readonly query: readonly string[];
	readonly takesJson: boolean;
};

const operationsOf = (document: unknown): readonly Operation[] =>
	Object.entries(documentSchema.parse(document).paths).flatMap(([route, methods]) =>
		Object.entries(methods).map(([method, {description, parameters, requestBody}]) => ({
			name: `${method.toUpperCase()} ${route}`,
			least: /^Least role: (\w+)\.$/u.exec(description)?.[1] ?? 'anyone',
			query: parameters.filter((parameter) => parameter.in === 'query').map(({name}) => name),
			takesJson: requestBody?.content['application/json'] !== undefined,
		})),
	);

const filled = (name: string, value: string): string => name.replaceAll(/\{\w+\}/gu, encodeURIComponent(value));

const strings = [
	"' or 1=1 --",
	"'; drop table box; --",
	'id=a or (((((',
	`tag in (${'"x",'.repeat(200)}"x")`,
	'release > 99999999999999999999.0.0',
	'%00',
	'\u0000',
	'../../../etc/passwd',
	'..%2f..%2fetc%2fpasswd',
	'{"$gt":""}',
	'x'.repeat(3000),
];

for (const engine of databaseEngines) {
	test(`of the whole server: nobody does what is beyond their role, hostile requests are refused, and no log has a secret (${engine})`, async (t) => {
		t.timeout(180_000);
		const {url, process, oneTimePassword} = await withRunningFleet(t, engine);
		const admin = await takeOver(url, 'admin', oneTimePassword, adminPassword);
		const asAdmin = patient(fleetCall(url, {Authorization: `Bearer ${admin.token}`}));
		const made = await asAdmin('POST /accounts', {name: 'vera', displayName: 'Vera', role: 'viewer'});
		const viewer = await takeOver(url, 'vera', made.body.oneTimePassword, viewerPassword);
		const {body: document} = await asAdmin('GET /openapi.json');
		const {valid, errors} = await new Validator().validate(structuredClone(document));
		t.true(valid, JSON.stringify(errors));
		const operations = operationsOf(document);
		t.true(operations.length > 40, `${operations.length} operations`);

		await refusesBeyondRole(t, url, operations, viewer);
		await refusesHostile(t, asAdmin, operations);

		const secrets = [
			...Object.values(configured),
			...[admin.cookie, viewer.cookie].map((cookie) => cookie.split('=')[1] ?? ''),
			...[admin.token, viewer.token, adminPassword, viewerPassword, made.body.oneTimePassword, oneTimePassword],
			...(await makeSecrets(url, asAdmin)),
		];
		const logs = process
			.output()
			.split('\n')
			.filter((line) => line.startsWith('{'));
		t.true(
			logs.some((line) => line.includes('"level":20')),
			'it logs all that it can',
		);
		for (const secret of secrets) {
			t.true(secret.length > 8);
			t.deepEqual(
				logs.filter((line) => line.includes(secret)),
				[],
			);
		}
		t.false(logs.some((line) => line.includes('PRIVATE KEY')));
		const exported = await asAdmin('GET /audit/export?format=ndjson');
		for (const secret of secrets) {
			t.false(JSON.stringify(exported.body).includes(secret));
		}
		t.true((await asAdmin('GET /audit/verify')).body.intact);
		const metrics = await fetch(new URL('/metrics', url), {headers: {authorization: `Bearer ${viewer.token}`}});
		t.is(metrics.status, 200);
	});
}

const refusesBeyondRole = async (
	t: ExecutionContext,
	url: string,
	operations: readonly Operation[],
	viewer: {readonly token: string},
): Promise<void> => {
	const asViewer = patient(fleetCall(url, {Authorization: `Bearer ${viewer.token}`}));
	const beyond = operations.filter(({least}) => !['anyone', 'viewer'].includes(least));
	t.true(beyond.length > 20);
	for (const {name, takesJson} of beyond) {
		const refused = await asViewer(filled(name, 'box-1'), takesJson ? {} : undefined, {'If-Match': '"1"'});
		t.deepEqual([refused.status, problemSchema.parse(refused.body).code], [403, 'OTA_API_FORBIDDEN'], name);
	}
};

/** Comes back when it is told to: what is looked at here is behind the measure of requests. */
const patient =
	(call: FleetCall): FleetCall =>
	async (...operation) => {
		for (;;) {
			const answer = await call(...operation);
			if (answer.status !== 429) {
				return answer;
			}
			await sleep(1000 * Number(answer.headers.get('retry-after')));
		}
	};

/** Whatever is sent is answered by 2xx or 4xx. */
const refusesHostile = async (
	t: ExecutionContext,
	call: FleetCall,
	operations: readonly Operation[],
): Promise<void> => {
	const isAnswered = ({status}: {readonly status: number}): boolean => status < 500;
	for (const {name, query} of operations.filter((operation) => operation.name.startsWith('GET '))) {
		for (const text of strings) {
			const search = query.map((parameter) => `${parameter}=${encodeURIComponent(text)}`).join('&');
			if (name.includes('{')) {
				t.true(isAnswered(await call(filled(name, text))), `${name} ${text}`);
			}
			if (search !== '') {
				t.true(isAnswered(await call(`${filled(name, 'box-1')}?${search}`)), `${name}?${search}`);
			}
		}
	}
	const bodies: readonly unknown[] = [
		[],
		'text',
		{__proto__: null, constructor: {prototype: {}}},
		{id: {}, name: strings},
		7,
		null,
	];
	for (const {name} of operations.filter(({takesJson}) => takesJson)) {
		for (const body of bodies) {
			t.true(
				isAnswered(await call(filled(name, 'box-1'), body, {'If-Match': '"1"'})),
				`${name} ${JSON.stringify(body)}`,
			);
		}
		const large = await call(filled(name, 'box-1'), {padding: 'x'.repeat(300_000)}, {'If-Match': '"1"'});
		t.true([400, 413].includes(large.status), `${name}: ${large.status}`);
	}
};

/** What the server gives out once: a claim, a webhook's secret. And a password that was typed into the wrong field. */
const makeSecrets = async (url: string, call: FleetCall): Promise<readonly string[]> => {
	const claims = await call('POST /claims', {deviceIds: ['box-7'], kind: 'stb'});
	const hook = await call('POST /alert-channels', {name: 'h', target: {kind: 'webhook', url: 'http://127.0.0.1:1/'}});
	const mistyped = 'my-other-password-of-the-bank';
	await fleetCall(url, {})('POST /session', {name: 'admin', password: mistyped});
	const claimToken = z.object({items: z.array(z.object({file: z.object({token: z.string()})}))}).parse(claims.body);
	return [hook.body.secret, claimToken.items[0]?.file.token ?? '', mistyped];
};
