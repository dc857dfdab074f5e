import {createHash, randomBytes} from 'node:crypto';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import type {FetchProgress} from '#ota/agent/agent-store.ts';
import {type FetchBundleOptions, fetchBundle} from '#ota/agent/fetch/fetch-bundle.ts';
import {eventually} from '#test/helper/eventually.ts';
import {sampleOrder, sampleVerify, sha256Of} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type Asked, type MisbehavingServer, withMisbehavingServer} from '#test/helper/with-misbehaving-server.ts';
import {withRoleServe} from '#test/helper/with-role-serve.ts';

const blockSizeBytes = 4096;
const old = randomBytes(40 * blockSizeBytes);
const bytes = Buffer.concat([
	old.subarray(0, 10 * blockSizeBytes),
	randomBytes(5 * blockSizeBytes),
	old.subarray(12 * blockSizeBytes),
	randomBytes(100),
]);

const digestsOf = (whole: Buffer): Buffer => {
	const digests: Buffer[] = [];
	for (let at = 0; at < whole.length; at += blockSizeBytes) {
		digests.push(
			createHash('sha256')
				.update(whole.subarray(at, at + blockSizeBytes))
				.digest(),
		);
	}
	return Buffer.concat(digests);
};
const list = digestsOf(bytes);

type Setup = {
	readonly run: (options: {
		readonly sources: readonly unknown[];
		readonly budget?: number;
		readonly isLastAttempt?: boolean;
		readonly progress?: FetchProgress | undefined;
		readonly signal?: AbortSignal;
	}) => Promise<Awaited<ReturnType<typeof fetchBundle>>>;
	readonly path: string;
	readonly kept: () => FetchProgress | undefined;
	readonly server: MisbehavingServer;
	readonly serve: Awaited<ReturnType<typeof withRoleServe>>;
};

const setUp = async (
	t: ExecutionContext,
	{answer, blocks = list}: {answer?: Parameters<typeof withMisbehavingServer>[1]['answer']; blocks?: Buffer} = {},
): Promise<Setup> => {
	const directory = await withDirectory(t);
	const server = await withMisbehavingServer(t, {
		bytes,
		answer:
			answer ??
			((asked) => {
				if (asked.request.url?.endsWith('blocks') === true) {
					asked.response.writeHead(200, {'content-length': String(blocks.length)}).end(blocks);
				} else {
					asked.honest();
				}
			}),
	});
	const serve = await withRoleServe(t, bytes);
	const path = join(directory, 'x.part');
	const keptPath = join(directory, 'kept.bundle');
	await writeFile(keptPath, old);
	let kept: FetchProgress | undefined;
	const run: Setup['run'] = async ({sources, budget = bytes.length, isLastAttempt = false, progress, signal}) => {
		const order = sampleOrder({
			bytes,
			bundle: {blocks: {blockSizeBytes, sizeBytes: list.length, sha256: sha256Of(list)}},
			order: {sources, byteBudgetBytes: budget},
		});
		const [bundle] = sampleVerify(order).bundles;
		return await fetchBundle({
			order,
			isLastAttempt,
			bundle: bundle as FetchBundleOptions['bundle'],
			path,
			local: [keptPath],
			progress,
			keepProgress: (next) => {
				kept = next;
			},
			httpsAgent: () => server.agent,
			roleUrl: () => serve.url,
			limits: {
				retriesMax: 3,
				retryInitialMs: 1,
				retryMaxMs: 2,
				checkpointBytes: 8192,
				carouselPollMs: 10,
				idleTimeoutMs: 8000,
			},
			clock: systemClock,
			random: Math.random,
			logger: silentLogger(),
			signal: signal ?? AbortSignal.timeout(30_000),
		});
	};
	return {run, path, kept: () => kept, server, serve};
};

const carousel = (waitMs = 0) => ({kind: 'carousel', objectUri: 'http://dvb.gw/op/release/x', waitMs});
const https = ({url}: MisbehavingServer) => ({kind: 'https', url});
const blocksOf = ({url}: MisbehavingServer) => ({kind: 'blocks', url: `${url}/blocks`});

test('of a bundle of which the carousel has parts only the holes are fetched', async (t) => {
	const {run, path, server, serve} = await setUp(t);
	const size = bytes.length;
	serve.held = [
		[5000, 60_000],
		[61_000, size - 700],
	];
	const cost = await run({sources: [carousel(), https(server)], budget: 5000 + 1000 + 700});
	t.deepEqual(cost, {carousel: size - 6700, local: 0, unicast: 6700});
	t.is(server.asked(), 3);
	t.true(serve.requests.every(({cacheControl}) => cacheControl === 'only-if-cached'));
	t.is(sha256Of(await readFile(path)), sha256Of(bytes));
});

test('the carousel is awaited as long as the order says, and what comes meanwhile is taken', async (t) => {
	const {run, server, serve} = await setUp(t);
	serve.held = undefined;
	setTimeout(() => {
		serve.held = [[0, 50_000]];
	}, 60);
	setTimeout(() => {
		serve.held = [[0, bytes.length]];
	}, 120);
	t.deepEqual(await run({sources: [carousel(5000), https(server)]}), {carousel: bytes.length, local: 0, unicast: 0});
	t.is(server.asked(), 0);
});

test('blocks of the kept bundle are taken from the disk, and only what is new costs', async (t) => {
	const {run, path, server} = await setUp(t);
	const fresh = 5 * blockSizeBytes + 100;
	const cost = await run({sources: [blocksOf(server), https(server)], budget: list.length + fresh});
	t.deepEqual(cost, {carousel: 0, local: bytes.length - fresh, unicast: list.length + fresh});
	t.is(sha256Of(await readFile(path)), sha256Of(bytes));
});

const listAnswer =
	(fail: (asked: Asked, count: number) => boolean): ((asked: Asked) => void) =>
	(asked) => {
		const isList = asked.request.url?.endsWith('blocks') === true;
		if (isList && !fail(asked, asked.count)) {
			asked.response.writeHead(200, {'content-length': String(list.length)}).end(list);
		} else if (!isList) {
			asked.honest();
		}
	};
const listStatus = (status: number, times = Number.POSITIVE_INFINITY): ((asked: Asked) => void) =>
	listAnswer(({response}, count) => {
		if (count < times) {
			response.writeHead(status).end();
		}
		return count < times;
	});
const breaksOff = listAnswer(({response}, count) => {
	if (count < 2) {
		response.writeHead(200, {'content-length': String(list.length)});
		response.write(list.subarray(0, 100), () => response.destroy());
	}
	return count < 2;
});

for (const [what, answer] of [
	['does not come at first', listStatus(503, 3)],
	['breaks off at first', breaksOff],
] as const) {
	test(`a list of blocks that ${what} is asked for again`, async (t) => {
		const {run, path, server} = await setUp(t, {answer});
		const fresh = 5 * blockSizeBytes + 100;
		const {local, unicast} = await run({sources: [blocksOf(server), https(server)], budget: bytes.length});
		t.is(local, bytes.length - fresh);
		t.true(unicast <= list.length + fresh + 200, `${unicast} bytes`);
		t.is(sha256Of(await readFile(path)), sha256Of(bytes));
	});
}

test('where the list of blocks does not come the whole bundle is fetched at the last attempt only', async (t) => {
	const {run, path, kept, server, serve} = await setUp(t, {answer: listStatus(503)});
	const sources = [blocksOf(server), carousel(), https(server)];
	serve.held = [[0, 50_000]];
	await t.throwsAsync(run({sources}), {code: 'OTA_FAILED_FETCH', message: /503/u});
	t.deepEqual(kept()?.bytes, {carousel: 50_000, local: 0, unicast: 0}, 'the satellite costs nothing');
	await run({sources, progress: kept(), isLastAttempt: true});
	t.is(kept()?.bytes.unicast, bytes.length - 50_000);
	t.is(sha256Of(await readFile(path)), sha256Of(bytes));
});

test('where there is no list of blocks the whole bundle is fetched at once', async (t) => {
	const {run, server} = await setUp(t, {answer: listStatus(404)});
	const cost = await run({sources: [blocksOf(server), https(server)]});
	t.deepEqual(cost, {carousel: 0, local: 0, unicast: bytes.length});
	t.is(server.asked(), 2);
});

test('an incremental fetch that fails does not become a full one beyond the budget', async (t) => {
	const {run, server} = await setUp(t, {blocks: Buffer.alloc(list.length)});
	await t.throwsAsync(run({sources: [blocksOf(server), https(server)], budget: 60_000}), {code: 'OTA_FAILED_BUDGET'});
	t.is(server.asked(), 1, 'the list, and nothing of the bundle');
});

test('wrong bytes of the carousel are found by their blocks, and only those are fetched again', async (t) => {
	const {run, path, server, serve} = await setUp(t);
	serve.bytes = Buffer.from(bytes);
	serve.bytes[45_000] = (serve.bytes[45_000] ?? 0) ^ 1;
	const cost = await run({
		sources: [blocksOf(server), carousel(), https(server)],
		budget: list.length + 2 * blockSizeBytes,
	});
	t.is(cost.unicast, list.length + blockSizeBytes);
	t.is(sha256Of(await readFile(path)), sha256Of(bytes));
});

test('another object under the carousel’s name is left alone', async (t) => {
	const {run, server, serve} = await setUp(t);
	serve.bytes = randomBytes(bytes.length + 1);
	t.deepEqual(await run({sources: [carousel(), https(server)]}), {carousel: 0, local: 0, unicast: bytes.length});
});

test('a fetch that was cut off goes on where it was, and its cost goes on, too', async (t) => {
	let stop = new AbortController();
	const {run, path, kept, server} = await setUp(t, {
		answer: (asked) => {
			if (asked.count > 0) {
				asked.honest();
				return;
			}
			asked.response.writeHead(206, {etag: '"v1"', 'content-range': `bytes 0-${bytes.length - 1}/${bytes.length}`});
			const sent = bytes.subarray(0, 50_000);
			asked.response.write(sent);
			const isWritten = async () => (await readFile(path)).subarray(0, sent.length).equals(sent);
			void eventually('it is in the file', isWritten).then(() => stop.abort(new Error('killed')));
		},
	});
	await t.throwsAsync(run({sources: [https(server)], signal: stop.signal}));
	const progress = kept();
	t.deepEqual(progress?.ranges, [[0, 50_000]]);
	stop = new AbortController();
	t.deepEqual(await run({sources: [https(server)], progress}), {carousel: 0, local: 0, unicast: bytes.length});
	t.is(sha256Of(await readFile(path)), sha256Of(bytes));
	// Rot on the disk is found by the digest.
	const rotten = await readFile(path);
	rotten[7] = (rotten[7] ?? 0) ^ 1;
	await writeFile(path, rotten);
	await run({sources: [https(server)], progress: kept(), budget: 3 * bytes.length});
	t.is(sha256Of(await readFile(path)), sha256Of(bytes));
});
