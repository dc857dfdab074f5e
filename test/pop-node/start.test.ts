import {createHash, randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type FakeHeadend, startFakeHeadend} from '#test/fake/start-fake-headend.ts';
import {eventually} from '#test/helper/eventually.ts';
import {type TestPopNode, withPopNode} from '#test/helper/with-pop-node.ts';

const withFakeHeadend = async (t: ExecutionContext, options: Parameters<typeof startFakeHeadend>[0] = {}) => {
	const headend: FakeHeadend = await startFakeHeadend(options);
	t.teardown(async () => headend[Symbol.asyncDispose]());
	return headend;
};

const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

/** Asks the headend each time, and waits for it as long as a machine that is busy with other tests may take. */
const patient = {
	ingest: {answerTimeoutMs: 30_000},
	repair: {revalidateIntervalMs: 0, pullTimeoutMs: 10_000},
};

const stored = (pop: TestPopNode, objects: number): Promise<true> =>
	eventually(`${objects} objects stored`, async () => {
		const {store} = await pop.status();
		return store.stored === objects && store.known === objects;
	});

test('takes the whole catalogue, follows its changes and serves byte-exact ranges', async (t) => {
	const headend = await withFakeHeadend(t);
	const bytes = Array.from({length: 8}, (_, index) => randomBytes(10_000 + index));
	for (const [index, content] of bytes.entries()) {
		headend.put(`vod/a/segment-${index}.m4s`, content);
	}
	const pop = await withPopNode(t, {headendUrl: headend.url});
	await stored(pop, 8);

	const whole = await pop.get('/streamverse/vod/a/segment-3.m4s');
	t.is(whole.status, 200);
	t.deepEqual(await bytesOf(whole), bytes[3]);
	t.is(
		whole.headers.get('etag'),
		`"${createHash('sha256')
			.update(bytes[3] ?? '')
			.digest('hex')}"`,
	);

	const range = await pop.get('/streamverse/vod/a/segment-3.m4s', {Range: 'bytes=100-199'});
	t.is(range.status, 206);
	t.deepEqual(await bytesOf(range), bytes[3]?.subarray(100, 200));
	const several = await pop.get('/streamverse/vod/a/segment-3.m4s', {Range: 'bytes=0-9,5000-5009'});
	t.regex(several.headers.get('content-type') ?? '', /^multipart\/byteranges/u);

	const later = randomBytes(500);
	headend.put('vod/a/later.m4s', later);
	await stored(pop, 9);
	t.deepEqual(await bytesOf(await pop.get('/streamverse/vod/a/later.m4s')), later);
	headend.remove('vod/a/later.m4s');
	await eventually('a deleted object is gone', async () => {
		const answer = await pop.get('/streamverse/vod/a/later.m4s');
		return answer.status === 404 && answer.headers.get('content-type')?.includes('problem+json');
	});
});

test('lives through an outage of the headend and reconciles when another one is back', async (t) => {
	const first = await startFakeHeadend({revision: 1000});
	first.put('keep', Buffer.from('kept'));
	first.put('gone', Buffer.from('gone'));
	const pop = await withPopNode(t, {headendUrl: first.url});
	await stored(pop, 2);
	const {port} = first;
	await first[Symbol.asyncDispose]();
	await eventually('the outage is noticed', async () => (await pop.status()).follow.kind === 'waiting');
	t.is((await pop.get('/streamverse/keep')).status, 200);
	t.is((await pop.get('/streamverse/unknown')).status, 502);
	t.is((await pop.get('/health')).status, 200);

	// A headend that was set up anew counts its revisions from zero.
	const second = await withFakeHeadend(t, {port});
	second.put('keep', Buffer.from('kept'));
	second.put('new', Buffer.from('new'));
	await eventually('the new catalogue is here', async () => {
		const [kept, fresh, gone] = await Promise.all(
			['keep', 'new', 'gone'].map((path) => pop.get(`/streamverse/${path}`)),
		);
		return kept?.status === 200 && fresh?.status === 200 && gone?.status === 404;
	});
});

test('refuses what is not the object of the catalogue, and takes it once it is', async (t) => {
	const headend = await withFakeHeadend(t);
	const bytes = randomBytes(50_000);
	headend.spoil((truth, response) => {
		const lie = Buffer.from(truth);
		lie[17] = (lie[17] ?? 0) ^ 1;
		response.end(lie);
		return true;
	});
	headend.put('spoiled', bytes);
	const pop = await withPopNode(t, {headendUrl: headend.url});
	await eventually('two downloads failed', async () => (await pop.status()).ingest.failures >= 2);
	t.is((await pop.get('/streamverse/spoiled')).status, 502);
	t.is((await pop.status()).store.stored, 0);
	headend.spoil(undefined);
	await stored(pop, 1);
	t.deepEqual(await bytesOf(await pop.get('/streamverse/spoiled')), bytes);
});

test('resumes a download that broke', async (t) => {
	const headend = await withFakeHeadend(t);
	const bytes = randomBytes(400_000);
	let breaks = 1;
	headend.spoil((truth, response) => {
		if (breaks === 0) {
			return false;
		}
		breaks -= 1;
		response.writeHead(200, {'Content-Length': truth.length});
		response.write(truth.subarray(0, 300_000), () => setTimeout(() => response.destroy(), 200));
		return true;
	});
	headend.put('broken', bytes);
	const pop = await withPopNode(t, {headendUrl: headend.url});
	await stored(pop, 1);
	t.deepEqual(await bytesOf(await pop.get('/streamverse/broken')), bytes);
	t.true(
		headend.requests.some((request) => /^GET broken bytes=[1-9]\d*-$/u.test(request)),
		headend.requests.join(),
	);
});

test('fetches what it lacks once, however many ask', async (t) => {
	const headend = await withFakeHeadend(t);
	const pop = await withPopNode(t, {headendUrl: headend.url});
	await eventually('the headend is followed', async () => (await pop.status()).follow.kind === 'following');
	const bytes = randomBytes(100_000);
	headend.hold('live/x/1.m4s', bytes);
	const answers = await Promise.all(Array.from({length: 20}, () => pop.get('/streamverse/live/x/1.m4s')));
	for (const answer of answers) {
		t.is(answer.status, 200);
		t.deepEqual(await bytesOf(answer), bytes);
	}
	t.is(headend.requests.filter((request) => request.startsWith('GET live/x/1.m4s')).length, 1);
});

test('asks the headend again for a manifest that is no longer fresh, and serves the old one if it cannot', async (t) => {
	const headend = await withFakeHeadend(t);
	headend.put('live/x/m.mpd', Buffer.from('first'), {freshUntilMs: Date.now() - 1});
	const pop = await withPopNode(t, {headendUrl: headend.url, ...patient});
	await stored(pop, 1);
	headend.hold('live/x/m.mpd', Buffer.from('second'));
	t.is(await (await pop.get('/streamverse/live/x/m.mpd')).text(), 'second');
	const hanging = new Set<ServerLike>();
	headend.spoil((_truth, response) => {
		hanging.add(response);
		return true;
	});
	t.is(await (await pop.get('/streamverse/live/x/m.mpd')).text(), 'second');
	for (const response of hanging) {
		response.destroy();
	}
});
type ServerLike = {destroy(): unknown};

test('a repair request for a version that we lack brings that version', async (t) => {
	const headend = await withFakeHeadend(t);
	headend.put('m.mpd', Buffer.from('first'));
	const pop = await withPopNode(t, {headendUrl: headend.url, ...patient});
	await stored(pop, 1);
	const second = Buffer.from('second version');
	headend.hold('m.mpd', second);
	const answer = await pop.get('/streamverse/m.mpd', {
		Range: 'bytes=0-5',
		'If-Range': `"${createHash('sha256').update(second).digest('hex')}"`,
	});
	t.is(answer.status, 206);
	t.is(await answer.text(), 'second');
});

test('keeps within its budget, the more important objects first', async (t) => {
	const headend = await withFakeHeadend(t);
	headend.put('low', randomBytes(60_000), {priority: 'low'});
	const pop = await withPopNode(t, {headendUrl: headend.url, store: {budgetBytes: 100_000}});
	await stored(pop, 1);
	headend.put('high', randomBytes(60_000), {priority: 'high'});
	headend.put('huge', randomBytes(200_000), {priority: 'high'});
	await eventually('room was made', async () => {
		const {store} = await pop.status();
		return store.stored === 1 && store.skipped === 2 && store.bytes === 60_000 && store.evictions === 1;
	});
	t.is((await pop.get('/streamverse/high')).headers.get('streamverse-source'), 'stored');
	t.is((await pop.get('/streamverse/huge')).status, 507);
	// Who asks for the small one gets it, at the other's cost.
	t.is((await bytesOf(await pop.get('/streamverse/low'))).length, 60_000);
});

test('turns away a client that asks too often, tells it when to come back, and logs it', async (t) => {
	const headend = await withFakeHeadend(t);
	headend.put('a', Buffer.from('a'));
	const pop = await withPopNode(t, {
		headendUrl: headend.url,
		repair: {requestsPerSecond: 0.001, requestsBurst: 3},
		accessLog: {fileBytesMax: 1024, filesMax: 3},
	});
	await stored(pop, 1);
	const statuses: number[] = [];
	for (let index = 0; index < 5; index += 1) {
		const answer = await pop.get('/streamverse/a');
		statuses.push(answer.status);
		t.is(answer.headers.get('retry-after') !== null, answer.status === 429);
		await answer.arrayBuffer();
	}
	t.deepEqual(statuses, [200, 200, 200, 429, 429]);
	t.is((await pop.status()).requests.limited, 2);
	t.regex(await (await pop.get('/metrics')).text(), /pop_node_limited_total 2/u);
	t.regex(await (await pop.get('/')).text(), /2 requests turned away/u);
	for (let index = 0; index < 40; index += 1) {
		await (await pop.get('/streamverse/a')).arrayBuffer();
	}
	await pop.stop();
	const lines = (await readFile(join(pop.stateDirectory, 'access.log'), 'utf8')).trim().split('\n');
	t.true(lines.length > 0 && lines.join('\n').length <= 1024);
	t.like(JSON.parse(lines[0] ?? ''), {method: 'GET', path: '/streamverse/a', status: 429});
	await t.notThrowsAsync(readFile(join(pop.stateDirectory, 'access.log.2')));
	await t.throwsAsync(readFile(join(pop.stateDirectory, 'access.log.3')));
});

test('serves from its disk after a restart without a headend, and heals what the disk lost', async (t) => {
	const headend = await startFakeHeadend();
	headend.put('a', Buffer.from('aaaa'));
	headend.put('b', Buffer.from('bbbb'));
	const pop = await withPopNode(t, {headendUrl: headend.url});
	await stored(pop, 2);
	await pop.stop();
	await headend[Symbol.asyncDispose]();
	const sha256 = createHash('sha256').update('bbbb').digest('hex');
	const {rm} = await import('node:fs/promises');
	await rm(join(pop.stateDirectory, 'object', 'content', sha256.slice(0, 2), sha256));
	const again = await withPopNode(t, {headendUrl: headend.url, stateDirectory: pop.stateDirectory});
	t.is(await (await again.get('/streamverse/a')).text(), 'aaaa');
	t.is((await again.get('/streamverse/b')).status, 502);
	t.is((await again.status()).store.bytes, 4);
});
