import {randomBytes} from 'node:crypto';
import {stat} from 'node:fs/promises';
import type {ServerResponse} from 'node:http';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type FakeHeadend, startFakeHeadend} from '#test/fake/start-fake-headend.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withPopNode} from '#test/helper/with-pop-node.ts';

const sizeBytes = 6_000_000;
const bytesOf = async (answer: Response): Promise<Buffer> => Buffer.from(await answer.arrayBuffer());

/** A headend whose whole downloads stop after `begunBytes` until they are let go on; ranges are answered at once. */
const withSlowHeadend = async (t: ExecutionContext, begunBytes: number) => {
	const headend: FakeHeadend = await startFakeHeadend();
	const waiting = new Map<ServerResponse, Buffer>();
	const letGo = (): void => {
		headend.spoil(undefined);
		for (const [response, rest] of waiting) {
			response.end(rest);
		}
		waiting.clear();
	};
	t.teardown(async () => {
		letGo();
		await headend[Symbol.asyncDispose]();
	});
	headend.spoil((truth, response) => {
		if (response.req.headers.range !== undefined || truth.length < sizeBytes) {
			return false;
		}
		response.writeHead(200, {'Content-Length': truth.length});
		response.write(truth.subarray(0, begunBytes));
		waiting.set(response, truth.subarray(begunBytes));
		return true;
	});
	return {headend, letGo};
};

test('a range of a large object that is still on its way is answered at once', async (t) => {
	const begunBytes = 1_000_000;
	const {headend, letGo} = await withSlowHeadend(t, begunBytes);
	const bytes = randomBytes(sizeBytes);
	const {sha256} = headend.put('vod/big.mp4', bytes);
	const pop = await withPopNode(t, {headendUrl: headend.url, repair: {growthTimeoutMs: 200}});
	await eventually('the download has begun', async () => (await pop.status()).ingest.active === 1);
	const ask = async (range: string) => {
		const answer = await pop.get('/streamverse/vod/big.mp4', {Range: `bytes=${range}`});
		return {answer, body: await bytesOf(answer)};
	};
	const far = await ask('5000000-5000999');
	t.is(far.answer.status, 206);
	t.is(far.answer.headers.get('content-range'), `bytes 5000000-5000999/${sizeBytes}`);
	t.is(far.answer.headers.get('etag'), `"${sha256}"`);
	t.is(far.answer.headers.get('streamverse-source'), 'passed');
	t.true(far.body.equals(bytes.subarray(5_000_000, 5_001_000)));

	const partial = join(pop.stateDirectory, 'object', 'partial', `${sha256}.part`);
	await eventually('its begin is on the disk', async () => (await stat(partial)).size >= begunBytes);
	const asked = headend.requests.length;
	t.true((await ask('0-99999')).body.equals(bytes.subarray(0, 100_000)));
	t.is(headend.requests.length, asked, 'what is on the disk already costs the headend nothing');
	const edge = await ask('900000-1499999');
	t.true(edge.body.equals(bytes.subarray(900_000, 1_500_000)), 'over the edge of the download');

	const several = await pop.get('/streamverse/vod/big.mp4', {Range: 'bytes=0-9,5500000-5500009'});
	const text = (await bytesOf(several)).toString('latin1');
	t.true(text.includes(bytes.subarray(5_500_000, 5_500_010).toString('latin1')));
	t.is((await pop.get('/streamverse/vod/big.mp4', {Range: 'bytes=0-9', 'If-Match': '"other"'})).status, 412);

	// A reader at the edge goes on with the download, and the object ends up verified on the disk.
	const whole = pop.get('/streamverse/vod/big.mp4').then(bytesOf);
	letGo();
	t.true((await whole).equals(bytes));
	await eventually('it is stored', async () => (await pop.status()).store.stored === 1);
	t.is((await pop.get('/streamverse/vod/big.mp4')).headers.get('streamverse-source'), 'stored');
});

test('only so many large objects are passed through at a time, and who leaves makes room', async (t) => {
	const {headend} = await withSlowHeadend(t, 100_000);
	headend.put('vod/big.mp4', randomBytes(sizeBytes));
	const pop = await withPopNode(t, {
		headendUrl: headend.url,
		repair: {passThroughsMax: 1, growthTimeoutMs: 20_000},
	});
	await eventually('the download has begun', async () => (await pop.status()).ingest.active === 1);
	const first = await pop.get('/streamverse/vod/big.mp4');
	t.is(first.status, 200);
	t.is((await pop.get('/streamverse/vod/big.mp4')).status, 503);
	await first.body?.cancel();
	await eventually('there is room again', async () => {
		const again = await pop.get('/streamverse/vod/big.mp4', {Range: 'bytes=0-9'});
		return again.status === 206 && (await bytesOf(again)).length === 10;
	});
});

test('a large object whose headend cannot be reached is refused, not begun', async (t) => {
	const {headend} = await withSlowHeadend(t, 0);
	headend.spoil((_truth, response) => {
		response.destroy();
		return true;
	});
	headend.put('vod/big.mp4', randomBytes(sizeBytes));
	const pop = await withPopNode(t, {headendUrl: headend.url});
	await eventually('a download failed', async () => (await pop.status()).ingest.failures > 0);
	// A download that is slow to fail is taken for one that runs.
	const status = await eventually('it is refused', async () => {
		const answer = await pop.get('/streamverse/vod/big.mp4', {Range: 'bytes=0-9'});
		await answer.body?.cancel();
		return answer.status !== 206 && answer.status;
	});
	t.is(status, 502);
});
