import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {createApp} from '#appliance/http/create-app.ts';
import {listen} from '#appliance/http/listen.ts';
import {createS3Objects} from '#ota/fleet/object/s3-objects.ts';
import {createArtifactPermit} from '#ota/fleet/release/artifact-permit.ts';
import {createArtifactRoutes} from '#ota/fleet/release/artifact-routes.ts';
import type {ArtifactStore} from '#ota/fleet/release/artifact-store.ts';
import {type ArtifactTraffic, createArtifactTraffic} from '#ota/fleet/release/artifact-traffic.ts';
import {createDiskArtifacts} from '#ota/fleet/release/disk-artifacts.ts';
import {createS3Artifacts} from '#ota/fleet/release/s3-artifacts.ts';
import {parseMultipart} from '#test/helper/parse-multipart.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type TestFleetContext, withFleetContext} from '#test/helper/with-fleet-context.ts';
import {type TestRelease, withRelease} from '#test/helper/with-release.ts';
import {withS3} from '#test/helper/with-s3.ts';

const withDisk = async (t: ExecutionContext): Promise<ArtifactStore> =>
	createDiskArtifacts({directory: await withDirectory(t)});

const openS3 = async (t: ExecutionContext): Promise<ArtifactStore> =>
	createS3Artifacts(createS3Objects(await withS3(t)));

type Served = {
	readonly context: TestFleetContext;
	readonly release: TestRelease;
	readonly traffic: ArtifactTraffic;
	readonly get: (
		box: string,
		headers?: Readonly<Record<string, string>>,
		path?: string,
		method?: string,
	) => Promise<Response>;
};

/** A store with one bundle, which an order of `box-a` names; boxes say who they are by a header. */
const withArtifacts = async (t: ExecutionContext, openStore: typeof withDisk): Promise<Served> => {
	const context = await withFleetContext(t);
	const {database} = context.store;
	const release = await withRelease(t);
	const store = await openStore(t);
	const file = join(await withDirectory(t), 'whole');
	await writeFile(file, release.bundle);
	const {signal} = context;
	await store.take(release.sha256, {path: file, sizeBytes: release.bundle.length, signal});
	await database
		.insertInto('update_body')
		.values({id: 'body', body: JSON.stringify(release.order)})
		.execute();
	await database
		.insertInto('desired')
		.values([
			{box: 'box-a', update_body: 'body', change: 1, dirty: 0, expires_ms: 0},
			{box: 'box-b', update_body: null, change: 1, dirty: 0, expires_ms: 0},
		])
		.execute();
	const traffic = createArtifactTraffic({...context, database});
	const app = createApp({logger: context.logger});
	app.use(async (request, next) => {
		request.state['deviceId'] = request.get('x-box') || undefined;
		await next();
	});
	app.use(createArtifactRoutes({store, traffic, isPermitted: createArtifactPermit(database)}).routes());
	const listener = await listen({handler: app.callback(), host: '127.0.0.1', port: 0});
	t.teardown(async () => await listener[Symbol.asyncDispose]());
	const {port} = listener;
	const get: Served['get'] = (box, headers = {}, path = release.sha256, method = 'GET') =>
		fetch(`http://127.0.0.1:${port}/artifact/${path}`, {method, headers: {'x-box': box, ...headers}});
	return {context, release, traffic, get};
};

for (const [name, openStore] of [
	['a disk', withDisk],
	['S3', openS3],
] as const) {
	test(`a box takes what its order names from ${name}: whole, by ranges, and only what changed not`, async (t) => {
		const {release, get, traffic, context} = await withArtifacts(t, openStore);
		const etag = `"${release.sha256}"`;
		const whole = await get('box-a');
		t.is(whole.status, 200);
		t.is(whole.headers.get('etag'), etag);
		t.true(Buffer.from(await whole.arrayBuffer()).equals(release.bundle));
		const part = await get('box-a', {range: 'bytes=1000-1999', 'if-range': etag});
		t.is(part.status, 206);
		t.is(part.headers.get('content-range'), `bytes 1000-1999/${release.bundle.length}`);
		t.deepEqual(Buffer.from(await part.arrayBuffer()), release.bundle.subarray(1000, 2000));
		const other = await get('box-a', {range: 'bytes=1000-1999', 'if-range': '"another"'});
		t.is(other.status, 200, 'of another version a part is worth nothing');
		await other.body?.cancel();
		const two = await get('box-a', {range: 'bytes=0-9,100-109'});
		const parts = parseMultipart(two.headers, Buffer.from(await two.arrayBuffer()));
		t.deepEqual(
			parts.map(({bytes}) => bytes),
			[release.bundle.subarray(0, 10), release.bundle.subarray(100, 110)],
		);
		const head = await get('box-a', {}, release.sha256, 'HEAD');
		t.is(head.headers.get('content-length'), String(release.bundle.length));
		t.is((await get('box-a', {range: 'bytes=999999999-'})).status, 416);
		t.is((await get('box-a', {'if-none-match': etag})).status, 304);
		await traffic.flush();
		const rows = await context.store.database.selectFrom('artifact_traffic').selectAll().execute();
		t.is(rows.length, 1);
		t.true((rows[0]?.bytes ?? 0) >= release.bundle.length + 1020, String(rows[0]?.bytes));
	});
}

test('no other box, nobody without a certificate, and no other file is served', async (t) => {
	const {get, release, context} = await withArtifacts(t, withDisk);
	for (const [box, path] of [
		['box-b', release.sha256],
		['box-c', release.sha256],
		['', release.sha256],
		['box-a', 'f'.repeat(64)],
		['box-a', release.sha256.toUpperCase()],
		['box-a', `..%2f${release.sha256.slice(0, 2)}%2f${release.sha256}`],
		['box-a', '..%2f..%2f..%2fetc%2fpasswd'],
		['box-a', '%00'],
	] as const) {
		const answer = await get(box, {}, path);
		t.is(answer.status, 403, `${box} ${path}`);
		t.is(((await answer.json()) as {code: string}).code, 'OTA_ARTIFACT_FORBIDDEN');
	}
	await context.store.database.updateTable('desired').set({update_body: null}).execute();
	t.is((await get('box-a')).status, 403, 'an order that was taken back opens nothing');
});

test('hundreds of ranges cost no more than the whole', async (t) => {
	const {get, release} = await withArtifacts(t, withDisk);
	const range = `bytes=${Array.from({length: 1500}, (_, index) => `${index}-${index}`).join(',')}`;
	const answer = await get('box-a', {range});
	t.is(answer.status, 200);
	t.is((await answer.arrayBuffer()).byteLength, release.bundle.length);
});
