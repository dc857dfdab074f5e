import {randomBytes} from 'node:crypto';
import {readdir} from 'node:fs/promises';
import {Readable} from 'node:stream';
import test, {type ExecutionContext} from 'ava';
import {storeBody} from '#appliance/diagnostics/bundle/store-body.ts';
import {uploadBody} from '#appliance/diagnostics/upload/upload-body.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import type {CommandView} from '#ota/contract/command-api.ts';
import {sweep} from '#ota/fleet/diagnostics/create-diagnostics-part.ts';
import {createDiagnosticsEndpoints} from '#ota/fleet/diagnostics/diagnostics-endpoints.ts';
import {diagnosticsLimits} from '#ota/fleet/diagnostics/diagnostics-limits.ts';
import {findItem} from '#ota/fleet/diagnostics/diagnostics-repository.ts';
import {createDiskItems} from '#ota/fleet/diagnostics/disk-items.ts';
import type {ItemStore} from '#ota/fleet/diagnostics/item-store.ts';
import {createObjectItems} from '#ota/fleet/diagnostics/object-items.ts';
import {listParts} from '#ota/fleet/diagnostics/part-repository.ts';
import {StreamBridge} from '#ota/fleet/diagnostics/stream-bridge.ts';
import type {ObjectStore} from '#ota/fleet/object/object-store.ts';
import {createS3Objects} from '#ota/fleet/object/s3-objects.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withFleetApi} from '#test/helper/with-fleet-api.ts';
import type {TestFleetContext} from '#test/helper/with-fleet-context.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';
import {withS3} from '#test/helper/with-s3.ts';
import {uploadBox, withUploadServer} from '#test/helper/with-upload-server.ts';

type Server = {
	readonly context: TestFleetContext;
	readonly items: ItemStore;
	readonly directory: string;
	readonly download: (id: string) => Promise<{readonly status: number; readonly bytes: Buffer}>;
	isDead: boolean;
};

/** Servers of one fleet: one database, to which each has a connection of its own, one S3, and a directory each. */
const withTwoServers = async (t: ExecutionContext, engine: (typeof databaseEngines)[number]) => {
	const objects = createS3Objects(await withS3(t));
	let url: string | undefined;
	const start = async (): Promise<Server> => {
		const directory = await withDirectory(t);
		const server: {isDead: boolean; items?: ItemStore; context?: TestFleetContext} = {isDead: false};
		const own: ObjectStore = {
			...objects,
			put: async (key, body) => (server.isDead ? Promise.reject(new Error('dead')) : await objects.put(key, body)),
		};
		const api = await withFleetApi(t, {
			engine,
			endpoints: (context) => {
				server.context = context;
				server.items = createObjectItems({
					...{objects: own, database: context.store.database, older: createDiskItems({directory}), partBytes: 50_000},
				});
				return createDiagnosticsEndpoints({
					...{context, items: server.items, limits: diagnosticsLimits, deviceUrl: () => ''},
					commands: {give: () => Promise.resolve({} as CommandView)},
				});
			},
			...(url === undefined ? {} : {databaseUrl: url}),
		});
		url = api.url;
		const cookie = await api.signInAs('admin', `admin-${api.baseUrl.split(':').at(-1)}`);
		const {context, items} = server;
		if (context === undefined || items === undefined) {
			throw new Error('The API asked for no endpoints.');
		}
		return Object.assign(server, {
			...{context, items, directory},
			download: async (id: string) => {
				const answer = await fetch(`${api.baseUrl}/api/v1/diagnostics/${id}/content`, {headers: {cookie}});
				return {status: answer.status, bytes: Buffer.from(await answer.arrayBuffer())};
			},
		});
	};
	return [await start(), await start()] as const;
};

for (const engine of databaseEngines) {
	test(`an upload begins on one server, ends on the other, and is downloaded from both (${engine})`, async (t) => {
		const [first, second] = await withTwoServers(t, engine);
		const one = await withUploadServer(t, {context: first.context, items: first.items});
		const two = await withUploadServer(t, {context: second.context, items: second.items});
		const id = 'upload-wanders';
		const firstUrl = await one.await(id);
		const bytes = randomBytes(700_000);
		await using body = await storeBody(Readable.from([bytes]), {directory: await withDirectory(t), bytesMax: 1e6});
		const cut = new AbortController();
		const given = {body, logger: silentLogger(), partBytes: 100_000, backoff: {initialMs: 10, maxMs: 20}};
		await t.throwsAsync(
			uploadBody({
				...{...given, url: firstUrl, signal: cut.signal, tls: () => ({key: '', cert: '', ca: one.caPem})},
				onProgress: (fraction) => fraction > 0.4 && cut.abort(new Error('the box goes elsewhere')),
			}),
		);
		const received = (await findItem(first.context.store.database, id))?.size_bytes ?? 0;
		t.true(received > 200_000 && received < 700_000, String(received));
		t.is(await second.items.receivedBytes(id), received);
		await uploadBody({
			...{...given, url: `${two.url}/upload/${id}`, signal: AbortSignal.timeout(30_000)},
			tls: () => ({key: '', cert: '', ca: two.caPem}),
		});
		t.like(await findItem(first.context.store.database, id), {state: 'ready', size_bytes: bytes.length});
		for (const server of [first, second]) {
			const downloaded = await server.download(id);
			t.is(downloaded.status, 200);
			t.true(downloaded.bytes.equals(bytes));
		}
		t.deepEqual([...(await readdir(first.directory)), ...(await readdir(second.directory))], []);
		second.context.advance(2e9);
		await sweep(second.context, second.items);
		t.deepEqual(await listParts(first.context.store.database, id), []);
		t.is((await first.download(id)).status, 404);
	});

	test(`a server dies while it records; the other has what was recorded (${engine})`, async (t) => {
		const [first, second] = await withTwoServers(t, engine);
		const {context, items} = first;
		const bridge = new StreamBridge({
			...{context, items, limits: diagnosticsLimits},
			broker: {
				publish: () => Promise.resolve(),
				subscribe: () => Promise.resolve({[Symbol.asyncDispose]: () => Promise.resolve()}),
				onConnected: () => () => undefined,
			},
			commands: {give: () => Promise.resolve({} as CommandView)},
		});
		t.teardown(() => bridge[Symbol.asyncDispose]());
		const actor = {id: 'person-1', name: 'Person', role: 'admin'} as const;
		const stream = await bridge.open(
			{kind: 'terminal', columns: 80, rows: 24, elevated: 'false'},
			{box: uploadBox, actor},
		);
		const say = (sequence: number, text: string) =>
			stream.fromBox(Buffer.from(JSON.stringify({kind: 'data', sequence, text})));
		say(1, 'before the crash\r\n');
		const {id} = await context.store.database.selectFrom('diagnostics_item').select('id').executeTakeFirstOrThrow();
		await eventually('it is written', async () => (await second.download(id)).bytes.includes('before the crash'));
		first.isDead = true;
		say(2, 'after it');
		second.context.advance(diagnosticsLimits.terminalTotalMs + diagnosticsLimits.resumeMs * 5);
		await sweep(second.context, second.items);
		const {status, bytes} = await second.download(id);
		t.is(status, 200);
		const lines = String(bytes).trimEnd().split('\n');
		t.like(JSON.parse(lines[0] ?? ''), {version: 2, width: 80, height: 24});
		t.deepEqual(JSON.parse(lines.at(-1) ?? '').slice(1), ['o', 'before the crash\r\n']);
		t.like(await findItem(context.store.database, id), {state: 'ready', size_bytes: bytes.length});
	});
}
