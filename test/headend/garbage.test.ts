import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {readdirSync} from 'node:fs';
import {connect} from 'node:net';
import test from 'ava';
import {cataloguePageSchema} from '#appliance/contract/catalogue-schema.ts';
import {headendStatusSchema} from '#appliance/contract/headend-status-schema.ts';
import {eventually} from '#test/helper/eventually.ts';
import {recordingSender} from '#test/helper/recording-sender.ts';
import {withHeadend} from '#test/helper/with-headend.ts';

const openFiles = (): number => readdirSync('/proc/self/fd').length;

const garbage = (path: string): readonly (string | Buffer)[] => [
	randomBytes(500),
	`GET ${path} HTTP/9.9\r\n\r\n`,
	`PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n`,
	`PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nx`,
	`PUT ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
	`PUT ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc`,
	`PUT ${path} HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(30_000)}\r\n\r\n`,
	`PATCH ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc`,
	`GET ${path}?after=%ff%fe&limit=-5&since=1e99 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
	`GET ${path} HTTP/1.1\r\nHost: x\r\nRange: bytes=5-1,a-b\r\nConnection: close\r\n\r\n`,
];

test('garbage on every endpoint is answered or cut off, and leaves nothing behind', async (t) => {
	t.timeout(120_000);
	const {url} = await withHeadend(t, {openSender: recordingSender().open});
	const {hostname, port} = new URL(url);
	const send = async (bytes: string | Buffer): Promise<void> => {
		const socket = connect({host: hostname, port: Number(port)});
		socket.on('error', () => undefined);
		socket.resume();
		await once(socket, 'connect');
		socket.end(bytes);
		// Feeds stay open by design; what matters is that nothing else does.
		await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, 300))]);
		socket.destroy();
	};
	const endpoints = [
		'/',
		'/status',
		'/events',
		'/titles',
		'/metrics',
		'/catalogue',
		'/catalogue/feed',
		'/catalogue/a',
		'/ingest/one/a.m4s',
		'/%zz',
	];
	await send(garbage('/')[0] ?? '');
	const before = openFiles();
	for (const endpoint of endpoints) {
		await Promise.all(garbage(endpoint).map(send));
	}
	headendStatusSchema.parse(await (await fetch(`${url}/status`)).json());
	const page = cataloguePageSchema.parse(await (await fetch(`${url}/catalogue`)).json());
	t.deepEqual(page.objects, []);
	await eventually('its file descriptors are closed', () => openFiles() <= before + 10);
	t.pass();
});
