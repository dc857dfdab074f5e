import {execFile} from 'node:child_process';
import {once} from 'node:events';
import {connect as connectTcp, type Socket} from 'node:net';
import {join} from 'node:path';
import {connect as connectTls} from 'node:tls';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import type {Context} from 'koa';
import {silentLogger} from '#appliance/log/logger.ts';
import {startOperatorServer} from '#ota/fleet/server/start-operator-server.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const run = promisify(execFile);

const withServer = async (t: ExecutionContext, tls?: {readonly certificate: string; readonly key: string}) => {
	const server = await startOperatorServer({
		config: {host: '127.0.0.1', port: 0, ...(tls === undefined ? {} : {tls})},
		middleware: [
			(context: Context) => {
				context.body = 'here';
			},
		],
		logger: silentLogger(),
	});
	t.teardown(() => server[Symbol.asyncDispose]());
	return server;
};

/** How long a connection lives that is fed one byte of headers at a time. */
const dripMs = async (t: ExecutionContext, socket: Socket): Promise<number> => {
	const startMs = performance.now();
	socket.on('error', () => undefined).resume();
	const drip = setInterval(() => socket.write('a'), 200);
	t.teardown(() => {
		clearInterval(drip);
		socket.destroy();
	});
	await once(socket, 'close');
	return performance.now() - startMs;
};

test('who feeds headers by drops, or no handshake, is dropped by the listener of people', async (t) => {
	t.timeout(60_000);
	const directory = await withDirectory(t);
	const tls = {certificate: join(directory, 'certificate.pem'), key: join(directory, 'key.pem')};
	await run('openssl', [
		...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
		...['-subj', '/CN=localhost', '-out', tls.certificate, '-keyout', tls.key],
	]);
	const plain = await withServer(t);
	const secure = await withServer(t, tls);
	const plainPort = Number(new URL(plain.url).port);
	const securePort = Number(new URL(secure.url).port);
	const slow = connectTcp({port: plainPort, host: '127.0.0.1'});
	slow.write('GET / HTTP/1.1\r\nHost: x\r\nX-');
	const slowTls = connectTls({port: securePort, host: '127.0.0.1', rejectUnauthorized: false});
	slowTls.write('GET / HTTP/1.1\r\nHost: x\r\nX-');
	const silent = connectTcp({port: securePort, host: '127.0.0.1'})
		.on('error', () => undefined)
		.resume();
	const silentEnds = once(silent, 'close');
	const lived = Promise.all([dripMs(t, slow), dripMs(t, slowTls)]);
	t.is((await fetch(plain.url)).status, 200, 'others are served meanwhile');
	const ms = await lived;
	await silentEnds;
	t.true(
		ms.every((each) => each < 20_000),
		ms.join(' '),
	);
});
