import {createHash, randomBytes} from 'node:crypto';
import type {IncomingMessage, RequestListener, ServerResponse} from 'node:http';
import test from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import type {FluteRange} from '#native/flute/receiver-event.ts';
import {stbConfigSchema} from '#stb/config-schema.ts';
import type {RepairTarget} from '#stb/repair/repair-target.ts';
import {createRepairer} from '#stb/repair/repairer.ts';
import {withHttpHandler} from '#test/helper/with-http-handler.ts';

const bytes = randomBytes(600_000);
const entityTag = `"${createHash('sha256').update(bytes).digest('hex')}"`;
const {signal} = new AbortController();

/** Answers a range as a good server does. */
const serve: RequestListener = (request, response) => {
	const match = /^bytes=(\d+)-(\d+)$/u.exec(request.headers.range ?? '');
	if (match === null) {
		response.writeHead(200, {etag: entityTag, 'content-length': bytes.length}).end(bytes);
		return;
	}
	const [first, last] = [Number(match[1]), Number(match[2])];
	const part = bytes.subarray(first, last + 1);
	response.writeHead(206, {
		etag: entityTag,
		'content-range': `bytes ${first}-${last}/${bytes.length}`,
		'content-length': part.length,
	});
	response.end(part);
};

/** An object with holes, that fills as a receiver's does. */
const withTarget = (servers: readonly string[], holes: readonly FluteRange[]) => {
	let missing = holes;
	const got = Buffer.alloc(bytes.length);
	const target: RepairTarget = {
		uri: 'http://dvb.gw/streamverse/vod/a.m4s',
		sizeBytes: bytes.length,
		entityTag,
		rank: 1,
		source: {
			objectBaseUri: 'http://dvb.gw/streamverse/',
			servers: servers.map((url) => ({url, weight: 1})),
			fixedBackOffMs: 0,
			randomBackOffMs: 5,
		},
		missing: () => missing,
		write: (offset, piece) => {
			got.set(piece, offset);
			missing = missing.flatMap((hole) => subtract(hole, {offset, length: piece.length}));
		},
	};
	return {target, got, missing: () => missing};
};

const subtract = (hole: FluteRange, {offset, length}: FluteRange): readonly FluteRange[] =>
	[
		{offset: hole.offset, length: Math.min(hole.length, offset - hole.offset)},
		{
			offset: Math.max(hole.offset, offset + length),
			length: hole.offset + hole.length - Math.max(hole.offset, offset + length),
		},
	].filter((rest) => rest.length > 0);

const createTestRepairer = (overrides: Record<string, unknown> = {}) =>
	createRepairer({
		config: stbConfigSchema.parse({
			repair: {attemptsMax: 4, retryDelayMinMs: 10, retryDelayMaxMs: 20, requestTimeoutMs: 60_000, ...overrides},
		}).repair,
		clock: systemClock,
		logger: silentLogger(),
	});

const holes = [
	{offset: 1000, length: 5000},
	{offset: 400_000, length: 100_000},
];

test('holes are filled by ranges with If-Range, and counted', async (t) => {
	const asked: IncomingMessage[] = [];
	const url = await withHttpHandler(t, (request, response) => {
		asked.push(request);
		serve(request, response);
	});
	const {target, got, missing} = withTarget([url], holes);
	const repairer = createTestRepairer();
	await repairer.fill(target, {signal});
	t.deepEqual(missing(), []);
	t.true(got.subarray(400_000, 500_000).equals(bytes.subarray(400_000, 500_000)));
	t.deepEqual(
		asked.map(({headers, url: path}) => [path, headers.range, headers['if-range'], headers['accept-encoding']]),
		[
			['/vod/a.m4s', 'bytes=1000-5999', entityTag, 'identity'],
			['/vod/a.m4s', 'bytes=400000-499999', entityTag, 'identity'],
		],
	);
	t.like(repairer.stats(), {requests: 2, bytes: 105_000, failures: 0});
	t.true(repairer.stats().latencyMs.p99 > 0);
});

test('a player’s wait fills what it waits for, and a packet’s worth beside it', async (t) => {
	const {target, missing} = withTarget([await withHttpHandler(t, serve)], holes);
	await createTestRepairer().fillNow(target, {offset: 450_000, length: 1000}, {signal});
	t.deepEqual(missing(), [
		{offset: 1000, length: 5000},
		{offset: 400_000, length: 47_952},
		{offset: 453_048, length: 46_952},
	]);
});

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** The first answers are bad, the rest are good: the object must be whole in the end. */
const heals = test.macro<Answer[]>({
	exec: async (t, ...answers) => {
		const left = [...answers];
		const url = await withHttpHandler(t, (request, response) => {
			const bad = left.shift();
			if (bad === undefined) {
				serve(request, response);
			} else {
				bad(response, request);
			}
		});
		const {target, got, missing} = withTarget([url], holes);
		await createTestRepairer().fill(target, {signal});
		t.deepEqual(missing(), []);
		t.deepEqual(got.subarray(1000, 6000), bytes.subarray(1000, 6000));
		t.is(left.length, 0);
	},
	title: (what) => `repair heals after ${what}`,
});

test('a server that ignores Range', heals, (response) => {
	response.writeHead(200, {etag: entityTag}).end(bytes);
});
test(
	'404 from a server that is not yet in step',
	heals,
	...new Array<Answer>(3).fill((response) => {
		response.writeHead(404).end();
	}),
);
test('503', heals, (response) => response.writeHead(503).end('later'));
test('416', heals, (response) => response.writeHead(416, {'content-range': 'bytes */5'}).end());
test('a connection that breaks', heals, (response) => response.destroy());
test('a body that ends early', heals, (response) => {
	response.writeHead(206, {etag: entityTag, 'content-range': `bytes 1000-5999/${bytes.length}`});
	response.end(bytes.subarray(1000, 2000));
});
test('a range that was not asked for', heals, (response) => {
	response.writeHead(206, {etag: entityTag, 'content-range': `bytes 0-99999/${bytes.length}`});
	response.end(bytes.subarray(0, 100_000));
});
test('several ranges in one answer', heals, (response) => {
	const part = (first: number, last: number): Buffer =>
		Buffer.concat([
			Buffer.from(`--b\r\nContent-Range: bytes ${first}-${last}/${bytes.length}\r\n\r\n`),
			bytes.subarray(first, last + 1),
			Buffer.from('\r\n'),
		]);
	response.writeHead(206, {'content-type': 'multipart/byteranges; boundary=b'});
	response.end(Buffer.concat([part(900, 3000), part(3001, 6500), Buffer.from('--b--\r\n')]));
});
test('a range of an object of another size', heals, (response) => {
	response.writeHead(206, {'content-range': 'bytes 1000-5999/7000'}).end(bytes.subarray(0, 5000));
});
test('a body longer than the object', heals, (response) => {
	response.writeHead(200).end(Buffer.concat([bytes, bytes]));
});
test('a compressed answer', heals, (response) => {
	response.writeHead(206, {'content-encoding': 'gzip', 'content-range': `bytes 1000-5999/${bytes.length}`}).end('x');
});
test('one answer of another version', heals, (response) => {
	response.writeHead(200, {etag: '"another"'}).end(bytes);
});

test('an object that has changed is given up', async (t) => {
	const url = await withHttpHandler(t, (_request, response) => {
		response.writeHead(200, {etag: '"another"'}).end(bytes);
	});
	const {target, missing} = withTarget([url], holes);
	await t.throwsAsync(createTestRepairer().fill(target, {signal}), {code: 'STB_REPAIR_CHANGED'});
	t.deepEqual(missing(), holes);
});

test('a server that fails is replaced by another', async (t) => {
	const bad = await withHttpHandler(t, (_request, response) => response.destroy());
	const {target, missing} = withTarget([bad, await withHttpHandler(t, serve)], holes);
	await createTestRepairer().fill(target, {signal});
	t.deepEqual(missing(), []);
});

test('a server that never answers costs the timeout, and the object its attempts', async (t) => {
	const url = await withHttpHandler(t, () => undefined);
	const {target} = withTarget([url], holes);
	const repairer = createTestRepairer({requestTimeoutMs: 100, attemptsMax: 2});
	await t.throwsAsync(repairer.fill(target, {signal}), {code: 'STB_REPAIR_TIMEOUT'});
	t.like(repairer.stats(), {requests: 2, failures: 2});
});

test('without a server, or with the wrong bytes only, repair ends', async (t) => {
	await t.throwsAsync(createTestRepairer().fill(withTarget([], holes).target, {signal}), {
		code: 'STB_REPAIR_NO_SERVER',
	});
	const url = await withHttpHandler(t, (_request, response) => {
		response.writeHead(206, {'content-range': `bytes 0-9/${bytes.length}`}).end(bytes.subarray(0, 10));
	});
	const {target} = withTarget([url], [{offset: 500, length: 10}]);
	const repairer = createTestRepairer({attemptsMax: 2});
	await t.throwsAsync(repairer.fill(target, {signal}), {code: 'STB_REPAIR_INCOMPLETE'});
});

test('a spent budget makes the background wait and the player not', async (t) => {
	const url = await withHttpHandler(t, serve);
	const repairer = createTestRepairer({budgetBytesPerHour: 0});
	const waiting = withTarget([url], holes);
	await repairer.fillNow(waiting.target, {offset: 0, length: 2000}, {signal});
	t.is(waiting.missing()[0]?.offset, 4048);
	const stopped = AbortSignal.timeout(300);
	await t.throwsAsync(repairer.fill(withTarget([url], holes).target, {signal: stopped}), {name: 'TimeoutError'});
	t.is(repairer.stats().requests, 1);
});
