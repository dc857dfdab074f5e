import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {readdirSync} from 'node:fs';
import {connect} from 'node:net';
import test from 'ava';
import {listen} from '#appliance/http/listen.ts';
import {startFakeHeadend} from '#test/fake/start-fake-headend.ts';
import {eventually} from '#test/helper/eventually.ts';
import {seededRandom} from '#test/helper/seeded-random.ts';
import {withPopNode} from '#test/helper/with-pop-node.ts';

const seededBytes = (seed: number, sizeBytes: number): Buffer => {
	const random = seededRandom(seed);
	return Buffer.from(Array.from({length: sizeBytes}, () => Math.floor(random() * 256)));
};

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

const paths = [
	'/streamverse/',
	'/streamverse//a',
	'/streamverse/../../etc/passwd',
	'/streamverse/%2e%2e/%2e%2e/etc/passwd',
	'/streamverse/a%00b',
	'/streamverse/%zz',
	'/streamverse/%ff',
	`/streamverse/${'x'.repeat(5000)}`,
	'/other/a',
	'/status/../streamverse/x',
] as const;

const ranges = [
	'bytes=',
	'bytes=-',
	'bytes=9-1',
	'bytes=99999999999999999999-',
	`bytes=${'0-0,'.repeat(2000)}1-1`,
	'x',
] as const;

test.serial('whatever a client sends, it is answered or cut off, and nothing is left open', async (t) => {
	const headend = await startFakeHeadend();
	t.teardown(() => headend[Symbol.asyncDispose]());
	headend.put('a', Buffer.from('0123456789'));
	const pop = await withPopNode(t, {headendUrl: headend.url});
	await eventually('the object is stored', async () => (await pop.status()).store.stored === 1);
	const {port} = new URL(pop.url);
	// A request waits for its answer, which ends the connection; noise hangs up.
	const raw = async (bytes: Buffer | string): Promise<string> => {
		const socket = connect(Number(port), '127.0.0.1');
		socket.on('error', () => undefined);
		let answer = '';
		socket.on('data', (chunk) => {
			answer += chunk.toString('latin1');
		});
		await once(socket, 'connect');
		if (typeof bytes === 'string') {
			socket.write(bytes);
		} else {
			socket.end(bytes);
		}
		await once(socket, 'close');
		return answer;
	};
	const before = openDescriptors();
	for (const path of paths) {
		const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: dvb.gw\r\nConnection: close\r\n\r\n`);
		t.regex(answer, /^HTTP\/1\.1 (400|404) /u, path.slice(0, 60));
		t.notRegex(answer, /root:|node:internal/u);
	}
	for (const range of ranges) {
		const answer = await raw(`GET /streamverse/a HTTP/1.1\r\nHost: x\r\nRange: ${range}\r\nConnection: close\r\n\r\n`);
		t.regex(answer, /^HTTP\/1\.1 (200|206|416) /u, range.slice(0, 60));
	}
	for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
		t.is((await fetch(`${pop.url}/streamverse/a`, {method})).status, 405);
	}
	for (let index = 0; index < 30; index += 1) {
		await raw(seededBytes(index, 2000));
	}
	t.is((await pop.get('/streamverse/a')).status, 200);
	await eventually('descriptors are back', () => openDescriptors() <= before + 4);
});

test.serial('whatever the headend says, the pop-node lives on, keeps what it has and tells why', async (t) => {
	const headend = await startFakeHeadend();
	headend.put('a', Buffer.from('kept'));
	const pop = await withPopNode(t, {headendUrl: headend.url, ingest: {answerTimeoutMs: 1000}});
	await eventually('the object is stored', async () => (await pop.status()).store.stored === 1);
	const {port} = headend;
	await headend[Symbol.asyncDispose]();
	const answers = [
		'',
		'{',
		'[]',
		'{"revision":-1,"objects":[]}',
		'{"revision":1,"objects":[{"path":"../../x"}]}',
		'x'.repeat(5_000_000),
		randomBytes(10_000).toString('latin1'),
	];
	let asked = 0;
	const liar = await listen({
		host: '127.0.0.1',
		port,
		handler: (_request, response) => {
			response.end(answers[asked % answers.length]);
			asked += 1;
		},
	});
	t.teardown(() => liar[Symbol.asyncDispose]());
	await eventually('every answer was given twice', () => asked > 2 * answers.length);
	const status = await pop.status();
	t.is(status.follow.kind, 'waiting');
	t.is(await (await pop.get('/streamverse/a')).text(), 'kept');
});
