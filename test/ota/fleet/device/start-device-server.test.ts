import {once} from 'node:events';
import {connect as connectTcp} from 'node:net';
import {connect} from 'node:tls';
import Router from '@koa/router';
import test from 'ava';
import {requireDevice} from '#ota/fleet/device/device-state.ts';
import {eventually} from '#test/helper/eventually.ts';
import {
	type AuthorityFixture,
	askDevices,
	enrolTestBox,
	makeBoxKey,
	turnableClock,
	withAuthority,
	withDeviceServer,
} from '#test/helper/with-authority.ts';

const dayMs = 86_400_000;
/** For who is slow: more than a busy machine takes for a good handshake, less than the listener's own 10 s. */
const patienceMs = 3000;
/** Told apart from those 10 s, however late the machine looks. */
const droppedMsMax = 9000;

const whoRoutes = (): Router => {
	const router = new Router();
	router.get('/who', requireDevice, (context) => {
		context.body = {deviceId: context.state['deviceId']};
	});
	return router;
};

const codeOf = (body: string): unknown => (JSON.parse(body) as {code: unknown}).code;

test('a route for boxes knows who asks, and refuses whoever is none', async (t) => {
	const clock = turnableClock();
	const fixture = await withAuthority(t, {clock});
	const {url} = await withDeviceServer(t, fixture, {routers: [whoRoutes()]});
	const box = await enrolTestBox(fixture, url, 'box-1');
	const ask = async (as?: typeof box) => await askDevices(fixture, `${url}/who`, as === undefined ? {} : {box: as});
	t.deepEqual(JSON.parse((await ask(box)).body), {deviceId: 'box-1'});
	const none = await ask();
	t.deepEqual([none.status, codeOf(none.body)], [401, 'OTA_DEVICE_CERTIFICATE_REQUIRED']);

	const otherFleet = await withAuthority(t);
	const other = await withDeviceServer(t, otherFleet);
	const foreign = await enrolTestBox(otherFleet, other.url, 'box-1');
	const refused = await ask(foreign);
	t.deepEqual([refused.status, codeOf(refused.body)], [403, 'OTA_DEVICE_CERTIFICATE_FOREIGN']);

	// Of our own authority, and for a name, but never given to a box.
	const {keyPem, certificatePem} = await fixture.trust.authority.issueClient('box-1');
	const stray = await ask({deviceId: 'box-1', keyPem, certificatePem});
	t.is(codeOf(stray.body), 'OTA_DEVICE_CERTIFICATE_FOREIGN');

	clock.advance(91 * dayMs);
	t.is(codeOf((await ask(box)).body), 'OTA_DEVICE_CERTIFICATE_EXPIRED');
	clock.advance(-91 * dayMs);
	await fixture.call('revokeBox', {parameters: {id: 'box-1'}});
	const revoked = await ask(box);
	t.deepEqual([revoked.status, codeOf(revoked.body)], [403, 'OTA_DEVICE_CERTIFICATE_REVOKED']);
});

test('a box that is revoked by another server is refused on its open connection', async (t) => {
	const fixture = await withAuthority(t);
	const {url, port} = await withDeviceServer(t, fixture, {routers: [whoRoutes()]});
	const box = await enrolTestBox(fixture, url, 'box-1');
	const socket = connect({
		port,
		host: '127.0.0.1',
		servername: 'localhost',
		ca: fixture.trust.authority.caPem,
		key: box.keyPem,
		cert: box.certificatePem,
	});
	let answers = '';
	socket.setEncoding('utf8').on('data', (text: string) => {
		answers += text;
	});
	t.teardown(() => void socket.destroy());
	await once(socket, 'secureConnect');
	socket.write('GET /who HTTP/1.1\r\nHost: x\r\n\r\n');
	await eventually('it is answered', () => answers.includes('200 OK'));
	await fixture.context.store.database.updateTable('certificate').set({revoked_ms: Date.now()}).execute();
	await eventually('the next request is refused', () => {
		socket.write('GET /who HTTP/1.1\r\nHost: x\r\n\r\n');
		return answers.includes('OTA_DEVICE_CERTIFICATE_REVOKED');
	});
	t.pass();
});

test('what is too large or no request is refused, and the listener goes on', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const post = async (body: string, headers: Readonly<Record<string, string>> = {}) =>
		await askDevices(fixture, `${url}/.well-known/est/simpleenroll`, {
			body,
			headers: {authorization: `Bearer ${'x'.repeat(43)}`, ...headers},
		});
	const tooLarge = await post('A'.repeat(9000));
	t.deepEqual([tooLarge.status, codeOf(tooLarge.body)], [413, 'OTA_EST_BODY']);
	const chunked = await post('A'.repeat(100_000), {'transfer-encoding': 'chunked'}).catch((error: unknown) => error);
	t.true(chunked instanceof Error || (chunked as {status: number}).status === 413);
	for (const body of ['', 'not base64!', 'AAAA', Buffer.alloc(3000, 0x30).toString('base64')]) {
		const answer = await post(body);
		t.deepEqual([answer.status, codeOf(answer.body)], [400, 'OTA_EST_REQUEST'], body.slice(0, 20));
	}
	const headers = await askDevices(fixture, url, {headers: {'x-long': 'y'.repeat(20_000)}}).catch(() => ({status: 0}));
	t.true([0, 431].includes(headers.status));
	t.is((await askDevices(fixture, `${url}/.well-known/est/cacerts`)).status, 200);
	t.is((await askDevices(fixture, `${url}/else`)).status, 404);
});

const closes = async (socket: {
	closed: boolean;
	on: (event: 'close' | 'error', listener: () => void) => unknown;
}): Promise<number> => {
	const startMs = performance.now();
	const {promise, resolve} = Promise.withResolvers<void>();
	socket.on('close', () => resolve());
	if (!socket.closed) {
		await promise;
	}
	return performance.now() - startMs;
};

const connectTls = async (
	fixture: AuthorityFixture,
	port: number,
	maxVersion: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3',
) => {
	const socket = connect({
		...{port, host: '127.0.0.1', servername: 'localhost', ca: fixture.trust.authority.caPem, maxVersion},
		minVersion: 'TLSv1.1',
		// Without it OpenSSL would refuse TLS 1.1 on this side already.
		ciphers: 'DEFAULT@SECLEVEL=0',
	});
	// The listener ends what it does not like; the tests look at how, not at each error.
	socket.on('error', () => undefined);
	await once(socket, 'secureConnect');
	return socket.resume();
};

test('whoever is slow with the handshake, the headers or the body is dropped, and others are served meanwhile', async (t) => {
	const fixture = await withAuthority(t);
	const {url, port} = await withDeviceServer(t, fixture, {
		timeouts: {handshakeMs: patienceMs, headersMs: patienceMs},
	});
	const noHandshake = connectTcp({port, host: '127.0.0.1'});
	noHandshake.on('error', () => undefined);
	const noRequest = await connectTls(fixture, port);
	const slowHeaders = await connectTls(fixture, port);
	slowHeaders.write('GET / HTTP/1.1\r\nHost: x\r\nX-');
	const drip = setInterval(() => slowHeaders.write('a'), 100);
	t.teardown(() => clearInterval(drip));
	const ends = Promise.all([noHandshake, noRequest, slowHeaders].map(closes));
	t.is((await askDevices(fixture, `${url}/.well-known/est/cacerts`)).status, 200);
	const afterMs = await ends;
	t.true(
		afterMs.every((ms) => ms < droppedMsMax),
		afterMs.join(' '),
	);
});

test('TLS 1.1 is refused', async (t) => {
	const fixture = await withAuthority(t);
	const {port} = await withDeviceServer(t, fixture);
	(await connectTls(fixture, port, 'TLSv1.2')).destroy();
	await t.throwsAsync(connectTls(fixture, port, 'TLSv1.1'), {message: /alert protocol version/u});
});

test('one address has so many connections, and so many requests, and no more', async (t) => {
	const fixture = await withAuthority(t);
	const {port} = await withDeviceServer(t, fixture, {config: {connectionsPerAddressMax: 2}});
	const held = [await connectTls(fixture, port), await connectTls(fixture, port)];
	await t.throwsAsync(connectTls(fixture, port));
	held[0]?.destroy();
	await eventually('its place is free again', async () =>
		connectTls(fixture, port).then(
			(socket) => {
				socket.destroy();
				return true;
			},
			() => false,
		),
	);
	const slow = await withAuthority(t);
	const limited = await withDeviceServer(t, slow, {config: {requestBurst: 2, requestsPerSecond: 0.1}});
	const ask = async () => await askDevices(slow, `${limited.url}/.well-known/est/cacerts`);
	t.deepEqual([(await ask()).status, (await ask()).status], [200, 200]);
	const refused = await ask();
	t.is(refused.status, 429);
	t.true(Number(refused.headers['retry-after']) >= 1);
});

test('the key of another box does not make its certificate usable', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture, {routers: [whoRoutes()]});
	const box = await enrolTestBox(fixture, url, 'box-1');
	await t.throwsAsync(
		askDevices(fixture, `${url}/who`, {box: {keyPem: makeBoxKey(), certificatePem: box.certificatePem}}),
	);
});
