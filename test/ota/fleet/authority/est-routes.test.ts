import {execFile} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {
	askDevices,
	enrolTestBox,
	makeBoxKey,
	makeRequest,
	turnableClock,
	withAuthority,
	withDeviceServer,
} from '#test/helper/with-authority.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';

const run = promisify(execFile);
const dayMs = 86_400_000;
const est = '/.well-known/est';

test('curl and openssl enrol a box and verify what it was given', async (t) => {
	const fixture = await withAuthority(t);
	const {port} = await withDeviceServer(t, fixture);
	const directory = await withDirectory(t);
	const path = (name: string): string => join(directory, name);
	await writeFile(path('ca.pem'), fixture.trust.authority.caPem);
	const base = `https://localhost:${port}${est}`;
	const curl = ['--silent', '--show-error', '--fail', '--cacert', path('ca.pem')];
	await run('openssl', [
		'req',
		'-new',
		'-newkey',
		'ec',
		'-pkeyopt',
		'ec_paramgen_curve:P-256',
		'-nodes',
		'-keyout',
		path('key.pem'),
		'-subj',
		'/CN=curl-box',
		'-outform',
		'DER',
		'-out',
		path('request.der'),
	]);
	await run('openssl', ['base64', '-in', path('request.der'), '-out', path('request.b64')]);
	const token = (await fixture.claim('curl-box')).file.token ?? '';
	const post = ['--data-binary', `@${path('request.b64')}`, '-H', 'Content-Type: application/pkcs10'];
	await run('curl', [
		...curl,
		'-D',
		path('headers'),
		'-o',
		path('answer.b64'),
		...post,
		'-H',
		`Authorization: Bearer ${token}`,
		`${base}/simpleenroll`,
	]);
	t.regex(await readFile(path('headers'), 'utf8'), /content-type: application\/pkcs7-mime; smime-type=certs-only/iu);
	const toPem = async (name: string): Promise<string> => {
		await run('openssl', ['base64', '-d', '-in', path(`${name}.b64`), '-out', path(`${name}.p7`)]);
		const {stdout} = await run('openssl', ['pkcs7', '-inform', 'DER', '-in', path(`${name}.p7`), '-print_certs']);
		await writeFile(path(`${name}.pem`), stdout);
		return stdout;
	};
	t.is((await toPem('answer')).match(/BEGIN CERTIFICATE/gu)?.length, 1);
	await run('curl', [...curl, '-o', path('chain.b64'), `${base}/cacerts`]);
	t.is((await toPem('chain')).match(/BEGIN CERTIFICATE/gu)?.length, 2);
	const verify = ['verify', '-x509_strict', '-CAfile', path('ca.pem'), '-untrusted', path('chain.pem')];
	const {stdout} = await run('openssl', [...verify, '-purpose', 'sslclient', path('answer.pem')]);
	t.regex(stdout, /OK/u);
	await t.throwsAsync(run('openssl', [...verify, '-purpose', 'sslserver', path('answer.pem')]));
	const {stdout: text} = await run('openssl', [
		'x509',
		'-in',
		path('answer.pem'),
		'-noout',
		'-subject',
		'-ext',
		'keyUsage,extendedKeyUsage,basicConstraints',
	]);
	t.regex(text, /CN = curl-box/u);
	t.regex(text, /TLS Web Client Authentication/u);
	t.regex(text, /CA:FALSE/u);
	// Renewal by mutual TLS, with the same key.
	await run('curl', [
		...curl,
		'--cert',
		path('answer.pem'),
		'--key',
		path('key.pem'),
		'-o',
		path('renewed.b64'),
		...post,
		`${base}/simplereenroll`,
	]);
	await toPem('renewed');
	t.regex((await run('openssl', [...verify, path('renewed.pem')])).stdout, /OK/u);
	t.not(await readFile(path('renewed.pem'), 'utf8'), await readFile(path('answer.pem'), 'utf8'));
});

for (const engine of databaseEngines) {
	test(`a token is good for one key, which may ask again (${engine})`, async (t) => {
		const fixture = await withAuthority(t, {engine});
		const {url} = await withDeviceServer(t, fixture);
		const token = (await fixture.claim('box-1')).file.token ?? '';
		const keyPem = makeBoxKey();
		const first = await enrolTestBox(fixture, url, 'box-1', {token, keyPem});
		const again = await enrolTestBox(fixture, url, 'box-1', {token, keyPem});
		t.is(again.certificatePem, first.certificatePem);
		await t.throwsAsync(enrolTestBox(fixture, url, 'box-1', {token}), {message: /401.*OTA_CLAIM_USED/u});
		const {items} = (await fixture.call('listClaims')) as {items: {state: string; usedBy: string}[]};
		t.like(items[0], {state: 'used', usedBy: 'box-1'});
		const box = await fixture.context.store.database.selectFrom('box').selectAll().execute();
		t.like(box[0], {id: 'box-1', kind: 'stb', tags: '["lab"]'});
	});

	test(`of many that come at once with one token, one is enrolled (${engine})`, async (t) => {
		const fixture = await withAuthority(t, {engine});
		const {url} = await withDeviceServer(t, fixture);
		const token = (await fixture.claim()).file.token ?? '';
		const names = Array.from({length: 8}, (_, index) => `racer-${index}`);
		const results = await Promise.allSettled(names.map((name) => enrolTestBox(fixture, url, name, {token})));
		t.is(results.filter(({status}) => status === 'fulfilled').length, 1);
		t.is((await fixture.context.store.database.selectFrom('certificate').selectAll().execute()).length, 1);
		t.is((await fixture.context.store.database.selectFrom('box').selectAll().execute()).length, 1);
	});

	test(`of two tokens that come at once for one name, one is enrolled and the other is not used up (${engine})`, async (t) => {
		const fixture = await withAuthority(t, {engine});
		const {url} = await withDeviceServer(t, fixture);
		const tokens = [(await fixture.claim()).file.token ?? '', (await fixture.claim()).file.token ?? ''];
		const results = await Promise.allSettled(tokens.map((token) => enrolTestBox(fixture, url, 'same-name', {token})));
		t.is(results.filter(({status}) => status === 'fulfilled').length, 1);
		const open = (await fixture.call('listClaims', {query: {state: 'open'}})) as {items: unknown[]};
		t.is(open.items.length, 1);
	});

	test(`a swapped box gets the name by a claim of its own, and the old key is out of use (${engine})`, async (t) => {
		const fixture = await withAuthority(t, {engine});
		const {url} = await withDeviceServer(t, fixture);
		const old = await enrolTestBox(fixture, url, 'box-1');
		await t.throwsAsync(fixture.claim('box-1'), {code: 'OTA_BOX_ENROLLED'});
		const free = (await fixture.claim()).file.token ?? '';
		await t.throwsAsync(enrolTestBox(fixture, url, 'box-1', {token: free}), {message: /409.*OTA_BOX_ENROLLED/u});
		const made = (await fixture.call('reclaimBox', {parameters: {id: 'box-1'}})) as {
			file: {token: string};
			claim: {tags: string[]};
		};
		t.deepEqual(made.claim.tags, ['lab']);
		const swapped = await enrolTestBox(fixture, url, 'box-1', {token: made.file.token});
		const body = await makeRequest('box-1', makeBoxKey());
		t.regex(
			(await askDevices(fixture, `${url}${est}/simplereenroll`, {box: old, body})).body,
			/OTA_DEVICE_CERTIFICATE_REVOKED/u,
		);
		t.is((await askDevices(fixture, `${url}${est}/simplereenroll`, {box: swapped, body})).status, 200);
		const {items} = (await fixture.call('listCertificates', {parameters: {id: 'box-1'}})) as {
			items: {state: string; origin: string}[];
		};
		t.deepEqual(items.map(({state}) => state).toSorted(), ['revoked', 'superseded', 'valid']);
	});

	test(`a renewal that is asked for twice gives one certificate, and the old one stays good (${engine})`, async (t) => {
		const fixture = await withAuthority(t, {engine});
		const {url} = await withDeviceServer(t, fixture);
		const box = await enrolTestBox(fixture, url, 'box-1');
		const body = await makeRequest('box-1', makeBoxKey());
		const first = await askDevices(fixture, `${url}${est}/simplereenroll`, {box, body});
		const again = await askDevices(fixture, `${url}${est}/simplereenroll`, {box, body});
		t.is(first.status, 200);
		t.is(again.body, first.body);
		const other = await askDevices(fixture, `${url}${est}/simplereenroll`, {
			box,
			body: await makeRequest('box-2', box.keyPem),
		});
		t.is(other.status, 403);
		t.regex(other.body, /OTA_CLAIM_WRONG_BOX/u);
	});
}

test('an expired token, a token of another box and no token are refused', async (t) => {
	const clock = turnableClock();
	const fixture = await withAuthority(t, {clock});
	const {url} = await withDeviceServer(t, fixture);
	const token = (await fixture.claim('box-1')).file.token ?? '';
	await t.throwsAsync(enrolTestBox(fixture, url, 'box-2', {token}), {message: /403.*OTA_CLAIM_WRONG_BOX/u});
	await t.throwsAsync(enrolTestBox(fixture, url, 'box-1', {token: 'x'.repeat(43)}), {
		message: /401.*OTA_CLAIM_UNKNOWN/u,
	});
	const none = await askDevices(fixture, `${url}${est}/simpleenroll`, {body: 'AAAA'});
	t.is(none.status, 401);
	t.regex(String(none.headers['www-authenticate']), /^Bearer/u);
	t.is((await askDevices(fixture, `${url}${est}/simplereenroll`, {body: 'AAAA'})).status, 401);
	clock.advance(31 * dayMs);
	await t.throwsAsync(enrolTestBox(fixture, url, 'box-1', {token}), {message: /401.*OTA_CLAIM_EXPIRED/u});
});

test('a box that was off when its certificate ended renews it, unless it was off for too long', async (t) => {
	const clock = turnableClock();
	const fixture = await withAuthority(t, {clock, config: {lateRenewalDays: 10}});
	const {url} = await withDeviceServer(t, fixture);
	// The client's TLS does not know the turned clock: the certificates were issued in the past.
	clock.advance(-95 * dayMs);
	const late = await enrolTestBox(fixture, url, 'late-box');
	clock.advance(-20 * dayMs);
	const lost = await enrolTestBox(fixture, url, 'lost-box');
	clock.advance(115 * dayMs);
	const ask = async (box: typeof late) =>
		await askDevices(fixture, `${url}${est}/simplereenroll`, {box, body: await makeRequest(box.deviceId, box.keyPem)});
	t.is((await ask(late)).status, 200);
	t.regex((await ask(lost)).body, /OTA_DEVICE_CERTIFICATE_EXPIRED/u);
});

test('no key and no token is ever logged', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const token = (await fixture.claim('box-1')).file.token ?? '';
	await enrolTestBox(fixture, url, 'box-1', {token});
	await t.throwsAsync(enrolTestBox(fixture, url, 'box-1', {token}));
	await fixture.call('revokeBox', {parameters: {id: 'box-1'}});
	await fixture.trust.revocations.refresh();
	const key = await readFile(join(fixture.directory, 'authority/issuing-key.pem'), 'utf8');
	const secrets = [token, ...key.split('\n').filter((line) => line.length > 20 && !line.includes('KEY'))];
	t.true(fixture.log().includes('box enrolled'));
	t.true(secrets.length > 2);
	t.deepEqual(
		secrets.filter((secret) => fixture.log().includes(secret)),
		[],
	);
	t.false(fixture.log().includes('PRIVATE KEY'));
});
