import {randomBytes} from 'node:crypto';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type FakeHeadend, startFakeHeadend} from '#test/fake/start-fake-headend.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withPopNode} from '#test/helper/with-pop-node.ts';

const withFakeHeadend = async (t: ExecutionContext): Promise<FakeHeadend> => {
	const headend = await startFakeHeadend();
	t.teardown(() => headend[Symbol.asyncDispose]());
	return headend;
};

const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

test('serves what the headend has now where the catalogue has not yet told of it', async (t) => {
	const headend = await withFakeHeadend(t);
	const breakOff = (_truth: Buffer, response: {destroy(): unknown}) => response.destroy() !== undefined;
	headend.spoil(breakOff);
	headend.put('small', randomBytes(10_000));
	headend.put('large', randomBytes(20_000));
	const pop = await withPopNode(t, {
		headendUrl: headend.url,
		ingest: {answerTimeoutMs: 30_000},
		repair: {passThroughBytesMin: 15_000, pullTimeoutMs: 30_000},
	});
	await eventually('both were tried', async () => (await pop.status()).ingest.failures >= 2);
	const newer = {small: randomBytes(30_000), large: randomBytes(30_000)};
	for (const [path, bytes] of Object.entries(newer)) {
		headend.hold(path, bytes);
	}
	headend.spoil(undefined);
	const small = await pop.get('/streamverse/small');
	t.is(small.status, 200);
	t.true((await bytesOf(small)).equals(newer.small));
	// What is passed on as it comes breaks off where its download is slow to find that it is another's.
	await eventually('the large one', async () => {
		const answer = await pop.get('/streamverse/large');
		return answer.status === 200 && (await bytesOf(answer)).equals(newer.large);
	});
});

test('what was begun of a version is removed when another one replaces it', async (t) => {
	const headend = await withFakeHeadend(t);
	const begun = new Map<Buffer, {destroy(): unknown}>();
	const old = {broken: randomBytes(400_000), running: randomBytes(400_000)};
	headend.spoil((truth, response) => {
		if (truth !== old.broken && truth !== old.running) {
			return false;
		}
		response.writeHead(200, {'Content-Length': truth.length});
		response.write(truth.subarray(0, 300_000));
		begun.set(truth, response);
		return true;
	});
	headend.put('broken', old.broken);
	headend.put('running', old.running);
	// Nothing is tried a second time.
	const ingest = {retryDelayMinMs: 60_000, retryDelayMaxMs: 60_000};
	const pop = await withPopNode(t, {headendUrl: headend.url, ingest});
	const partials = () => readdir(join(pop.stateDirectory, 'object', 'partial'));
	await eventually('both are begun', async () => (await partials()).length === 2);
	begun.get(old.broken)?.destroy();
	await eventually('one is broken', async () => (await pop.status()).ingest.failures === 1);
	t.is((await partials()).length, 2, 'it would be resumed');
	const replace = async (path: string, objects: number) => {
		const bytes = randomBytes(1000);
		await eventually(`${path} is replaced`, async () => {
			// Told again and again: the feed may not be followed yet.
			headend.put(path, bytes);
			return (await pop.status()).store.stored === objects;
		});
	};
	await replace('broken', 1);
	await eventually('what was broken is gone', async () => (await partials()).length === 1);
	await replace('running', 2);
	t.is((await partials()).length, 1, 'it may still come whole');
	begun.get(old.running)?.destroy();
	await eventually('what was running is gone', async () => (await partials()).length === 0);
});
