import {createHash, randomBytes} from 'node:crypto';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {stringify} from 'yaml';
import {sleep} from '#appliance/time/sleep.ts';
import {popNodeStatusSchema} from '#pop-node/repair/status.ts';
import {startFakeHeadend} from '#test/fake/start-fake-headend.ts';
import {eventually} from '#test/helper/eventually.ts';
import {freePort} from '#test/helper/free-port.ts';
import {seededRandom} from '#test/helper/seeded-random.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withProcess} from '#test/helper/with-process.ts';

const rounds = 3;
const objectsPerRound = 12;

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test('killed in the middle of downloads, again and again, a pop-node never serves a wrong byte, and heals', async (t) => {
	t.timeout(180_000);
	const directory = await withDirectory(t);
	const stateDirectory = join(directory, 'state');
	const file = join(directory, 'box.yaml');
	const headend = await startFakeHeadend();
	t.teardown(() => headend[Symbol.asyncDispose]());
	const port = await freePort();
	await writeFile(
		file,
		stringify({
			version: 1,
			box: {id: 'pop-crash', kind: 'pop-node', stateDirectory},
			'pop-node': {
				headendUrl: headend.url,
				listen: {host: '127.0.0.1', port},
				ingest: {retryDelayMinMs: 20, retryDelayMaxMs: 100},
				repair: {passThroughBytesMin: 1_000_000},
			},
		}),
	);
	const url = `http://127.0.0.1:${port}`;
	const random = seededRandom(23);
	/** The digests that each object has had, the newest last. */
	const truths = new Map<string, string[]>();
	const start = async () => {
		const child = withProcess(t, {script: 'pop-node/main.ts', args: ['--config', file]});
		await eventually('it answers', async () => (await fetch(`${url}/health`)).ok, {timeoutMs: 60_000});
		return child;
	};
	/** Whatever is answered whole is a version that was; a broken answer is no lie. */
	const read = async (path: string): Promise<string | undefined> => {
		try {
			const answer = await fetch(`${url}/streamverse/${path}`);
			const digest = digestOf(new Uint8Array(await answer.arrayBuffer()));
			if (answer.status === 200) {
				t.true(truths.get(path)?.includes(digest), path);
			}
			return answer.status === 200 ? digest : undefined;
		} catch {
			return undefined;
		}
	};
	for (let round = 0; round < rounds; round += 1) {
		const process = await start();
		for (const path of truths.keys()) {
			await eventually(`${path} after the kill`, () => read(path));
		}
		for (let index = 0; index < objectsPerRound; index += 1) {
			const bytes = randomBytes(100_000 + Math.floor(random() * 2_000_000));
			// New objects, and new versions of old ones.
			const path = `o${Math.floor(random() * objectsPerRound * 2)}`;
			truths.set(path, [...(truths.get(path) ?? []), digestOf(bytes)]);
			headend.put(path, bytes);
		}
		const readers = Promise.all([...truths.keys()].slice(0, 4).map(read));
		await sleep(random() * 250);
		process.kill('SIGKILL');
		await process.ended;
		await readers;
	}
	const last = await start();
	await eventually('everything is here', async () => {
		const {store} = popNodeStatusSchema.parse(await (await fetch(`${url}/status`)).json());
		return store.stored === truths.size && store.known === truths.size;
	});
	for (const [path, versions] of truths) {
		t.is(await read(path), versions.at(-1), path);
	}
	last.kill('SIGTERM');
	t.is((await last.ended).code, 0);
	const files = await readdir(join(stateDirectory, 'object', 'content'), {recursive: true, withFileTypes: true});
	const names = files.filter((entry) => entry.isFile());
	t.deepEqual(
		names.map(({name}) => name).sort(),
		[...truths.values()].map((versions) => versions.at(-1)).sort(),
		'no more and no less on disk',
	);
	for (const {name, parentPath} of names) {
		t.is(digestOf(await readFile(join(parentPath, name))), name);
	}
	t.deepEqual(await readdir(join(stateDirectory, 'object', 'partial')), [], 'no download is left behind');
});
