import {once} from 'node:events';
import type {RequestListener} from 'node:http';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {testSpeed} from '#appliance/diagnostics/command/test-speed.ts';
import {createTestAuthority} from '#test/helper/test-authority.ts';

const chunk = Buffer.alloc(64 * 1024);

const withSpeedServer = async (t: ExecutionContext, handler: RequestListener) => {
	const authority = await createTestAuthority();
	const {certificatePem, keyPem} = await authority.issue('127.0.0.1', {server: true});
	const server = createServer({cert: certificatePem, key: keyPem}, handler);
	server.listen({host: '127.0.0.1', port: 0});
	await once(server, 'listening');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const box = await authority.issue('box-1');
	return {
		url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
		tls: {key: box.keyPem, cert: box.certificatePem, ca: authority.caPem},
	};
};

const signal = () => AbortSignal.timeout(20_000);

test('a speed is bits over the time they took, of no more bytes than were asked for', async (t) => {
	const partMs = 20;
	const server = await withSpeedServer(t, (_request, response) => {
		const timer = setInterval(() => response.write(chunk), partMs);
		response.on('close', () => clearInterval(timer));
	});
	const bytesMax = 10 * chunk.length;
	const startedMs = performance.now();
	const {bytes, tookMs, firstByteMs, rateBps} = await testSpeed({...server, bytesMax}, {...server, signal: signal()});
	t.true(bytes >= bytesMax && bytes < bytesMax + chunk.length, `${bytes} bytes`);
	t.true(tookMs >= 9 * partMs && tookMs <= performance.now() - startedMs + 1, `${tookMs} ms`);
	t.true(firstByteMs <= tookMs);
	t.true(Math.abs(rateBps - (bytes * 8) / (tookMs / 1000)) / rateBps < 0.01, `${rateBps} bit/s`);
});

test('a line that does not end is measured until the time is up; one that brings nothing is an error', async (t) => {
	const slow = await withSpeedServer(t, (_request, response) => void response.write(chunk));
	// The greeting of TLS is in it.
	const options = {...slow, signal: signal(), timeoutMs: 3000};
	const {bytes, tookMs} = await testSpeed({url: slow.url, bytesMax: 10 ** 8}, options);
	t.is(bytes, chunk.length);
	t.true(tookMs >= 2999, `${tookMs} ms`);
	const dumb = await withSpeedServer(t, (_request, response) => void response.flushHeaders());
	await t.throwsAsync(testSpeed({url: dumb.url, bytesMax: 10 ** 8}, {...dumb, signal: signal(), timeoutMs: 300}));
});

test('what is refused, and whom the box does not trust, is no measure', async (t) => {
	const server = await withSpeedServer(t, (_request, response) => void response.writeHead(404).end('nothing here'));
	const request = {url: server.url, bytesMax: 1024};
	await t.throwsAsync(testSpeed(request, {...server, signal: signal()}), {
		code: 'DIAGNOSTICS_COMMAND_FAILED',
		message: /answered 404/u,
	});
	await t.throwsAsync(testSpeed(request, {tls: undefined, signal: signal()}), {message: /certificate/u});
	await t.throwsAsync(testSpeed(request, {...server, signal: AbortSignal.abort()}), {name: 'AbortError'});
});
