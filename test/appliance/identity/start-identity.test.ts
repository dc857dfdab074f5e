import {readFile, stat, writeFile} from 'node:fs/promises';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import type {TLSSocket} from 'node:tls';
import test, {type ExecutionContext} from 'ava';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import type {BoxIdentity, Credentials} from '#appliance/identity/box-identity.ts';
import {type IdentityOptions, renewalDueMs, startIdentity} from '#appliance/identity/start-identity.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {eventually} from '#test/helper/eventually.ts';
import {createOrderSigner} from '#test/helper/order-signer.ts';
import {createTestAuthority, type TestAuthority} from '#test/helper/test-authority.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const deviceId = deviceIdSchema.parse('stb-0001');
const token = 'one-time-token-0123456789';

type Est = {
	readonly authority: TestAuthority;
	/** Path and who asked, of each request. */
	readonly asked: string[];
	/** What the next answers are; the default is a proper one. */
	answer: ((request: IncomingMessage, response: ServerResponse, body: string) => void | Promise<void>) | undefined;
	lifeMs: number;
	readonly claimFile: string;
	readonly directory: string;
	readonly start: (options?: Partial<IdentityOptions>) => Promise<BoxIdentity>;
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
	let text = '';
	for await (const chunk of request.setEncoding('latin1') as AsyncIterable<string>) {
		text += chunk;
	}
	return text;
};

/** An EST server as RFC 7030 has it, on mutual TLS that is optional. */
const withEst = async (t: ExecutionContext): Promise<Est> => {
	const authority = await createTestAuthority();
	const {certificatePem, keyPem} = await authority.issue('127.0.0.1', {server: true});
	const directory = await withDirectory(t);
	const tokens = new Set([token]);
	const proper = async (request: IncomingMessage, response: ServerResponse, body: string): Promise<void> => {
		const socket = request.socket as TLSSocket;
		const bearer = request.headers.authorization?.replace('Bearer ', '') ?? '';
		if (request.url?.endsWith('/cacerts')) {
			response.end(authority.cacerts());
		} else if (request.url?.endsWith('/simpleenroll') ? tokens.delete(bearer) : socket.authorized) {
			const notBefore = new Date(Math.floor(Date.now() / 1000) * 1000);
			response.end(await authority.sign(body, {notBefore, notAfter: new Date(notBefore.getTime() + est.lifeMs)}));
		} else {
			response.writeHead(401).end();
		}
	};
	const server = createServer(
		{cert: certificatePem, key: keyPem, ca: authority.caPem, requestCert: true, rejectUnauthorized: false},
		(request, response) => {
			const {authorized} = request.socket as TLSSocket;
			est.asked.push(`${path.basename(request.url ?? '')}${authorized ? ' by certificate' : ''}`);
			bodyOf(request)
				.then((body) => (est.answer ?? proper)(request, response, body))
				.catch((error: unknown) => response.destroy(error as Error));
		},
	);
	server.listen(0, '127.0.0.1');
	await eventually('listening', () => server.listening);
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const signer = await createOrderSigner({fleet: 'f', box: deviceId});
	const {port} = server.address() as AddressInfo;
	const claimFile = path.join(directory, 'brought.json');
	const claim = {
		...{version: 1, fleet: 'f', token, caPem: authority.caPem, releaseCaPem: authority.caPem, orderKey: signer.key},
		...{estUrl: `https://127.0.0.1:${port}/.well-known/est`, deviceUrl: `https://127.0.0.1:${port}`},
		brokerUrl: 'mqtts://127.0.0.1:1',
	};
	await writeFile(claimFile, JSON.stringify(claim));
	const est: Est = {
		...{authority, asked: [], answer: undefined, lifeMs: 3_600_000, claimFile},
		directory: path.join(directory, 'fleet'),
		start: async (options = {}) => {
			const identity = await startIdentity({
				...{directory: path.join(directory, 'fleet'), claimFile, deviceId, logger: silentLogger(), random: () => 0},
				...options,
			});
			t.teardown(() => identity[Symbol.asyncDispose]());
			return identity;
		},
	};
	return est;
};

const enrolled = (identity: BoxIdentity) => eventually('a certificate', () => identity.credentials());

test('a box makes its key, enrols once with its token, and forgets it', async (t) => {
	const est = await withEst(t);
	const identity = await est.start();
	const credentials = await enrolled(identity);
	t.is((await stat(path.join(est.directory, 'key.pem'))).mode & 0o777, 0o600);
	t.is((await stat(path.join(est.directory, 'claim.json'))).mode & 0o777, 0o600);
	t.false((await readFile(path.join(est.directory, 'claim.json'), 'utf8')).includes(token));
	t.false('token' in identity.claim);
	t.true(credentials.notAfterMs > Date.now());
	await identity[Symbol.asyncDispose]();

	const again = await est.start();
	t.is(again.credentials()?.serial, credentials.serial, 'at once, from the disk');
	t.is(again.credentials()?.keyPem, credentials.keyPem);
	t.deepEqual(est.asked, ['simpleenroll', 'cacerts']);
});

test('a certificate is renewed at two thirds of its life, by itself, and listeners hear of it', async (t) => {
	const est = await withEst(t);
	const dueMs = (est.lifeMs * 2) / 3;
	// Due two to three seconds after it was issued, and good for many minutes more.
	const aheadMs = dueMs - 3000;
	const identity = await est.start({clock: {...systemClock, nowMs: () => Date.now() + aheadMs}});
	const heard: (Credentials & {readonly atMs: number})[] = [];
	identity.onCredentials((credentials) => {
		heard.push({...credentials, atMs: Date.now() + aheadMs});
		// The next one is due tomorrow.
		est.lifeMs = 86_400_000;
	});
	const [first, second] = await eventually('a renewal', () => {
		const [one, other] = heard;
		return one !== undefined && other !== undefined && ([one, other] as const);
	});
	t.not(first.serial, second.serial);
	t.true(second.atMs >= first.notBeforeMs + dueMs);
	t.deepEqual(est.asked.slice(2), ['simplereenroll by certificate', 'cacerts']);
	const late: string[] = [];
	identity.onCredentials(({serial}) => late.push(serial));
	t.deepEqual(late, [second.serial], 'at once');
	t.is(renewalDueMs({...first, notBeforeMs: 0, notAfterMs: 3000}, 0), 2000);
	t.is(renewalDueMs({...first, notBeforeMs: 0, notAfterMs: 3000}, 1), 2150);
});

test('answers that are late, refused, rubbish, for another key or another box are not believed', async (t) => {
	const est = await withEst(t);
	const stranger = await createTestAuthority();
	const answers: Est['answer'][] = [
		(_, response) => void response.writeHead(503, {'retry-after': '0'}).end(),
		(_, response) => void response.writeHead(500).end(),
		(_, response) => void response.end('<html>'),
		(_, response) => void response.end('AAAA'),
		(_, response) => void response.end('A'.repeat(1_000_000)),
		(_, response) => void response.end(stranger.cacerts()),
		(_, response) => void response.destroy(),
	];
	let next = 0;
	est.answer = (request, response, body) => answers[next++ % answers.length]?.(request, response, body);
	const identity = await est.start();
	await eventually('the first', () => next >= 1);
	t.is(identity.credentials(), undefined);
	await identity[Symbol.asyncDispose]();
	// Each start asks at once, so that the back-off need not be waited for.
	while (next < answers.length) {
		const before = next;
		const again = await est.start();
		await eventually('an answer', () => next > before);
		t.is(again.credentials(), undefined);
		await again[Symbol.asyncDispose]();
	}
	est.answer = undefined;
	await enrolled(await est.start());
	t.true((await readFile(path.join(est.directory, 'certificate.pem'), 'utf8')).includes('BEGIN CERTIFICATE'));
});

test('a server that the claim’s authority did not certify is told no token', async (t) => {
	const est = await withEst(t);
	const foreign = await createTestAuthority();
	const claim = JSON.parse(await readFile(est.claimFile, 'utf8')) as object;
	await writeFile(est.claimFile, JSON.stringify({...claim, caPem: foreign.caPem}));
	const warned = Promise.withResolvers<unknown>();
	const logger = silentLogger();
	const listening = Object.assign(Object.create(logger) as typeof logger, {
		child: () => Object.assign(Object.create(logger) as typeof logger, {warn: warned.resolve}),
	});
	const identity = await est.start({logger: listening});
	t.like(await warned.promise, {code: 'APPLIANCE_EST_UNREACHABLE'});
	t.deepEqual(est.asked, []);
	t.is(identity.credentials(), undefined);
});

test('a box that died after its token was used and before it had noted that keeps its certificate', async (t) => {
	const est = await withEst(t);
	const identity = await est.start();
	const {serial} = await enrolled(identity);
	await identity[Symbol.asyncDispose]();
	const kept = path.join(est.directory, 'claim.json');
	await writeFile(kept, await readFile(est.claimFile));
	const again = await est.start();
	await eventually('the token is let go', async () => !(await readFile(kept, 'utf8')).includes(token));
	t.is(again.credentials()?.serial, serial);
});

test('a claim for another box, a damaged one and none are told before anything is done', async (t) => {
	const est = await withEst(t);
	await t.throwsAsync(est.start({claimFile: undefined}), {code: 'APPLIANCE_CLAIM_NONE'});
	const claim = JSON.parse(await readFile(est.claimFile, 'utf8')) as object;
	await writeFile(est.claimFile, JSON.stringify({...claim, deviceId: 'stb-0002'}));
	await t.throwsAsync(est.start(), {code: 'APPLIANCE_CLAIM_OTHER_BOX'});
	await writeFile(est.claimFile, JSON.stringify({...claim, estUrl: 'http://plain.example/'}));
	await t.throwsAsync(est.start(), {code: 'APPLIANCE_CLAIM_INVALID'});
	await writeFile(est.claimFile, `{${' '.repeat(100_000)}}`);
	await t.throwsAsync(est.start(), {code: 'APPLIANCE_CLAIM_INVALID'});
	await writeFile(path.join(est.directory, 'key.pem'), 'rubbish');
	await t.throwsAsync(est.start(), {code: 'APPLIANCE_KEY_UNREADABLE'});
	t.is(await readFile(path.join(est.directory, 'key.pem'), 'utf8'), 'rubbish', 'and is not replaced');
	t.deepEqual(est.asked, []);
});
