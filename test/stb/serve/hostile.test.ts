import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {readdir} from 'node:fs/promises';
import {connect} from 'node:net';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {commitBytes} from '#test/helper/with-object-cache.ts';
import {withOriginServer} from '#test/helper/with-origin-server.ts';
import {withServing} from '#test/helper/with-serving.ts';

const rounds = 150;

/** Requests that a broken or hostile player may send; `%` stands for random bytes. */
const garbage: readonly (() => Buffer)[] = [
	() => randomBytes(2000),
	() => Buffer.from('GET '),
	() => Buffer.from('GET / HTTP/9.9\r\n\r\n'),
	() =>
		Buffer.from(
			'GET /streamverse/a.m4s HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
		),
	() => Buffer.from(`GET /${'a'.repeat(40_000)} HTTP/1.1\r\nHost: x\r\n\r\n`),
	() => Buffer.from(`GET /streamverse/a.m4s HTTP/1.1\r\nHost: x\r\nRange: bytes=${'0-0,'.repeat(3000)}\r\n\r\n`),
	() =>
		Buffer.from(
			'GET /streamverse/a.m4s HTTP/1.1\r\nHost: x\r\nRange: bytes=-0\r\nIf-Range: W/\r\nIf-None-Match: "\r\n\r\n',
		),
	() => Buffer.from('GET http://evil.example/streamverse/../../etc/passwd HTTP/1.1\r\nHost: evil.example\r\n\r\n'),
	() => Buffer.from('GET /streamverse/%2e%2e%2f%2e%2e%2fetc/passwd HTTP/1.1\r\nHost: x\r\n\r\n'),
	() =>
		Buffer.from(
			`GET /streamverse/${randomBytes(30)
				.toString('latin1')
				.replaceAll(/[\r\n ]/gu, '')} HTTP/1.1\r\nHost: x\r\n\r\n`,
		),
	() => Buffer.from('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n'),
	() => Buffer.from('OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n'),
	() => Buffer.from('GET /streamverse/big.m4s HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20)),
];

for (const dataPlane of ['node', 'nginx'] as const) {
	test.serial(
		`garbage and players that leave cost the ${dataPlane} plane neither its life nor descriptors`,
		async (t) => {
			const origin = await withOriginServer(t);
			origin.objects.set('missing.m4s', randomBytes(500_000));
			const {url, cache} = await withServing(t, {dataPlane, baseUrls: [origin.url]});
			await commitBytes(cache, '/streamverse/a.m4s', randomBytes(1000));
			await commitBytes(cache, '/streamverse/big.m4s', randomBytes(3_000_000));
			const descriptors = async (): Promise<number> => (await readdir('/proc/self/fd')).length;
			await (await fetch(`${url}a.m4s`)).arrayBuffer();
			const before = await descriptors();
			const {port} = new URL(url);
			for (let round = 0; round < rounds; round++) {
				const socket = connect(Number(port), '127.0.0.1');
				socket.on('error', () => undefined);
				await once(socket, 'connect');
				socket.resume().write(garbage[round % garbage.length]?.() ?? '');
				await delay(round % 3);
				socket.destroy();
			}
			t.is((await fetch(`${url}a.m4s`)).status, 200);
			t.is((await fetch(`${url}missing.m4s`)).status, 200);
			await eventually('the descriptors are closed', async () => (await descriptors()) <= before + 10);
			t.true(origin.requests.every((line) => !line.includes('passwd') && !line.includes('evil')));
		},
	);
}

test.serial('an origin that ignores Range, lies about its length or sends no end harms nobody', async (t) => {
	const origin = await withOriginServer(t);
	const {url, cache} = await withServing(t, {
		baseUrls: [origin.url],
		limits: {jumpBytes: 10, idleTimeoutMs: 300, segmentsAhead: 0, objectBytesMax: 1_000_000},
	});
	const bytes = randomBytes(50_000);
	origin.intercept = (_, response) => {
		response.writeHead(200, {'content-length': bytes.length, etag: '"x"'}).end(bytes);
		return true;
	};
	const ranged = await fetch(`${url}ignores-range.mp4`, {headers: {range: 'bytes=40000-40099'}});
	t.is(ranged.status, 206);
	t.true(Buffer.from(await ranged.arrayBuffer()).equals(bytes.subarray(40_000, 40_100)));
	origin.intercept = (_, response) => {
		response.writeHead(200).end(bytes);
		return true;
	};
	const chunked = await fetch(`${url}chunked.mp4`, {headers: {range: 'bytes=-100'}});
	t.true(Buffer.from(await chunked.arrayBuffer()).equals(bytes.subarray(-100)));
	origin.intercept = (_, response) => {
		response.writeHead(200, {'content-length': 100_000}).write(bytes);
		return true;
	};
	await t.throwsAsync(async () => await (await fetch(`${url}endless.mp4`)).arrayBuffer());
	origin.intercept = (_, response) => {
		response.writeHead(200, {'content-length': 2_000_000}).end(Buffer.alloc(2_000_000));
		return true;
	};
	t.is((await fetch(`${url}too-large.mp4`)).status, 200);
	t.is(cache.peek('http://dvb.gw/streamverse/too-large.mp4'), undefined);
});
