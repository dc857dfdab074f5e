import {once} from 'node:events';
import {type AddressInfo, createServer, type Server} from 'node:net';
import test from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {openDatabasePatiently} from '#ota/fleet/store/open-database-patiently.ts';
import {freePort} from '#test/helper/free-port.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const options = () => ({logger: silentLogger(), signal: AbortSignal.timeout(30_000)});

test('a PostgreSQL that does not answer yet is waited for, and given up in the end', async (t) => {
	const port = await freePort();
	const url = `postgres://fleet@127.0.0.1:${port}/fleet`;
	const startedMs = performance.now();
	const given = openDatabasePatiently({url, ...options(), patienceMs: 700});
	t.like((await t.throwsAsync(given, {code: 'OTA_DATABASE_UNUSABLE'}))?.cause, {code: 'ECONNREFUSED'});
	t.true(performance.now() - startedMs >= 700);
	const stop = new AbortController();
	setTimeout(() => stop.abort(), 50);
	await t.throwsAsync(openDatabasePatiently({url, logger: silentLogger(), signal: stop.signal}), {name: 'AbortError'});
});

test('a refusal that time does not mend is told at once', async (t) => {
	// What PostgreSQL says to a wrong password: ErrorResponse, 28P01.
	const fields = Buffer.from('SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0');
	const length = Buffer.alloc(4);
	length.writeInt32BE(fields.length + 4);
	const server: Server = createServer((socket) => {
		socket
			.on('error', () => undefined)
			.once('data', () => socket.end(Buffer.concat([Buffer.from('E'), length, fields])));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	const {port} = server.address() as AddressInfo;
	const startedMs = performance.now();
	const refused = openDatabasePatiently({url: `postgres://fleet@127.0.0.1:${port}/fleet`, ...options()});
	t.like((await t.throwsAsync(refused, {code: 'OTA_DATABASE_UNUSABLE'}))?.cause, {code: '28P01'});
	const directory = await withDirectory(t);
	await t.throwsAsync(openDatabasePatiently({url: `sqlite:${directory}/no/fleet.db`, ...options()}), {
		code: 'OTA_DATABASE_UNUSABLE',
		message: /no\/fleet\.db cannot be opened/u,
	});
	t.true(performance.now() - startedMs < 10_000);
});
