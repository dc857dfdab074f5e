import {readdir, readFile} from 'node:fs/promises';
import {request} from 'node:http';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {createReleasePart} from '#ota/fleet/release/create-release-part.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';
import {artifactPath} from '#ota/release/create-release.ts';
import {publishRelease} from '#ota/release/publish-release.ts';
import {createReleaseKey} from '#ota/release/release-key.ts';
import {signRelease} from '#ota/release/sign-release.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type TestFleetApi, withFleetApi} from '#test/helper/with-fleet-api.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';
import {type TestRelease, testReleaseKey, withRelease} from '#test/helper/with-release.ts';

type Fixture = {readonly api: TestFleetApi; readonly cookie: string; readonly directory: string};

const withReleaseApi = async (t: ExecutionContext, engine: DatabaseEngine = 'sqlite'): Promise<Fixture> => {
	const directory = await withDirectory(t);
	const {caPem: releaseCaPem} = await testReleaseKey();
	const api = await withFleetApi(t, {
		engine,
		endpoints: (context) => createReleasePart(context, {directory, releaseCaPem}).endpoints ?? [],
	});
	return {api, directory, cookie: await api.signInAs('operator')};
};

const bodyOf = ({manifestBytes, signature}: Pick<TestRelease, 'manifestBytes' | 'signature'>) => ({
	manifest: manifestBytes.toString('base64'),
	signature: signature.toString('base64'),
});

type UploadAnswer = {readonly code?: string; readonly storedBytes?: number};

const put = async (
	{api, cookie}: Fixture,
	path: string,
	body: Uint8Array,
): Promise<{readonly status: number; readonly body: UploadAnswer}> => {
	const answer = await fetch(`${api.baseUrl}/api/v1${path}`, {
		method: 'PUT',
		headers: {cookie},
		body: Uint8Array.from(body),
	});
	return {status: answer.status, body: (await answer.json()) as UploadAnswer};
};

for (const engine of databaseEngines) {
	test(`a release is made known, uploaded, published, listed and withdrawn on ${engine}`, async (t) => {
		const fixture = await withReleaseApi(t, engine);
		const {api, cookie} = fixture;
		const release = await withRelease(t);
		const created = await api.call('POST /releases', {cookie, body: bodyOf(release)});
		t.is(created.status, 201, created.text);
		t.like(created.body, {state: 'uploading', release: '2.0.0'});
		t.regex(created.body.signer, /Test release/u);
		t.is((await api.call('POST /releases/2.0.0/publish', {cookie})).body.code, 'OTA_RELEASE_INCOMPLETE');
		for (const {sha256} of created.body.artifacts) {
			const bytes = await readFile(artifactPath(release.directory, sha256));
			const answer = await put(fixture, `/release-artifacts/${sha256}`, bytes);
			t.is(answer.status, 200, JSON.stringify(answer.body));
		}
		t.is((await api.call('POST /releases/2.0.0/publish', {cookie})).body.state, 'published');
		const again = await api.call('POST /releases', {cookie, body: bodyOf(release)});
		t.is(again.body.state, 'published', 'the same again is no mistake');
		await api.call('POST /releases', {cookie, body: bodyOf(await withRelease(t, {version: '2.1.0'}))});
		const first = await api.call('GET /releases?limit=1', {cookie});
		const second = await api.call(`GET /releases?limit=1&cursor=${first.body.nextCursor}`, {cookie});
		t.deepEqual([...first.body.items, ...second.body.items].map((each) => each.release).sort(), ['2.0.0', '2.1.0']);
		t.is(second.body.nextCursor, undefined);
		const published = await api.call('GET /releases?state=published', {cookie});
		t.is(published.body.items.length, 1);
		const withdrawn = await api.call('POST /releases/2.0.0/withdraw', {cookie, body: {reason: 'It is broken.'}});
		t.like(withdrawn.body, {state: 'withdrawn', withdrawn: {reason: 'It is broken.'}});
		t.is((await api.call('POST /releases/2.0.0/publish', {cookie})).body.code, 'OTA_RELEASE_STATE');
	});
}

test('a client publishes with a token, and goes on where it stopped', async (t) => {
	const fixture = await withReleaseApi(t);
	const {api, cookie} = fixture;
	const release = await withRelease(t);
	await api.call('POST /releases', {cookie, body: bodyOf(release)});
	t.is(
		(await put(fixture, `/release-artifacts/${release.sha256}`, release.bundle.subarray(0, 70_000))).body.storedBytes,
		70_000,
	);
	const admin = await api.signInAs('admin');
	const token = await api.call('POST /tokens', {cookie: admin, body: {name: 'ci', role: 'operator'}});
	t.true(token.status < 300, token.text);
	const sent: number[] = [];
	const published = await publishRelease({
		fleet: {url: api.baseUrl, token: token.body.token},
		directory: release.directory,
		manifest: release.manifestBytes,
		signature: release.signature,
		signal: AbortSignal.timeout(20_000),
		onProgress: (sha256, sentBytes) => (sha256 === release.sha256 ? sent.push(sentBytes) : 0),
	});
	t.is(published.state, 'published');
	t.true((sent[0] ?? 0) > 70_000);
	t.deepEqual(await readdir(join(fixture.directory, 'upload')), []);
});

test('a release of another signer, an altered manifest and another release of the same version are refused', async (t) => {
	const {api, cookie} = await withReleaseApi(t);
	const release = await withRelease(t);
	const {certificatePem, keyPem} = await createReleaseKey({name: 'Test'});
	const foreign = await signRelease({manifest: release.manifestBytes, certificatePem, keyPem});
	const refusals = [
		{...release, signature: foreign},
		{...release, manifestBytes: Buffer.concat([release.manifestBytes, Buffer.from(' ')])},
		{...release, signature: Buffer.from('nothing')},
	];
	for (const refused of refusals) {
		const answer = await api.call('POST /releases', {cookie, body: bodyOf(refused)});
		t.is(answer.status, 422);
		t.is(answer.body.code, 'OTA_RELEASE_NOT_BELIEVED');
	}
	await api.call('POST /releases', {cookie, body: bodyOf(release)});
	const other = await withRelease(t, {sizeBytes: 100});
	t.is((await api.call('POST /releases', {cookie, body: bodyOf(other)})).body.code, 'OTA_RELEASE_DIFFERENT');
});

test('a viewer publishes nothing', async (t) => {
	const {api} = await withReleaseApi(t);
	const cookie = await api.signInAs('viewer');
	t.is((await api.call('POST /releases', {cookie, body: bodyOf(await withRelease(t))})).status, 403);
	t.is((await api.call('GET /releases', {cookie})).status, 200);
});

test('wrong bytes, too many, from a hole, for no release or under a path never get in', async (t) => {
	const fixture = await withReleaseApi(t);
	const {api, cookie} = fixture;
	const release = await withRelease(t);
	await api.call('POST /releases', {cookie, body: bodyOf(release)});
	const path = `/release-artifacts/${release.sha256}`;
	const wrong = Buffer.from(release.bundle);
	wrong[5] = 1 + (wrong[5] ?? 0);
	t.is((await put(fixture, path, wrong)).body.code, 'OTA_ARTIFACT_DIGEST_WRONG');
	t.is((await api.call(`GET ${path}`, {cookie})).body.storedBytes, 0, 'what was wrong is forgotten');
	t.is(
		(await put(fixture, path, Buffer.concat([release.bundle, Buffer.from('x')]))).body.code,
		'OTA_ARTIFACT_TOO_LARGE',
	);
	t.is((await put(fixture, `${path}?offsetBytes=199999999`, Buffer.from('x'))).body.code, 'OTA_ARTIFACT_OFFSET_WRONG');
	t.is(
		(await put(fixture, `/release-artifacts/${'0'.repeat(64)}`, Buffer.from('x'))).body.code,
		'OTA_ARTIFACT_UNKNOWN',
	);
	for (const evil of ['..%2f..%2fetc%2fpasswd', `..%2f${release.sha256}`, '%00', release.sha256.toUpperCase()]) {
		t.true([400, 404].includes((await put(fixture, `/release-artifacts/${evil}`, Buffer.from('x'))).status));
	}
	const tail = await put(fixture, `${path}?offsetBytes=0`, release.bundle);
	t.is(tail.body.storedBytes, release.bundle.length);
});

test('an upload whose line breaks keeps what came', async (t) => {
	const fixture = await withReleaseApi(t);
	const {api, cookie} = fixture;
	const release = await withRelease(t);
	await api.call('POST /releases', {cookie, body: bodyOf(release)});
	const path = `/release-artifacts/${release.sha256}`;
	const broken = request(`${api.baseUrl}/api/v1${path}`, {method: 'PUT', headers: {cookie, 'Content-Length': 200_000}});
	broken.on('error', () => undefined);
	broken.write(release.bundle.subarray(0, 65_536));
	const stored = async (): Promise<number> => (await api.call(`GET ${path}`, {cookie})).body.storedBytes;
	while ((await stored()) < 65_536) {
		await new Promise((resolve) => setImmediate(resolve));
	}
	broken.destroy();
	let answer = await put(fixture, `${path}?offsetBytes=65536`, release.bundle.subarray(65_536));
	while (answer.body.code === 'OTA_ARTIFACT_BUSY') {
		answer = await put(fixture, `${path}?offsetBytes=65536`, release.bundle.subarray(65_536));
	}
	t.is(answer.body.storedBytes, release.bundle.length);
});
