import {execFileSync} from 'node:child_process';
import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {buffer} from 'node:stream/consumers';
import {gunzipSync} from 'node:zlib';
import test from 'ava';
import {extract} from 'tar-stream';
import {boxCollectors} from '#appliance/diagnostics/bundle/box-collectors.ts';
import type {Collector} from '#appliance/diagnostics/bundle/collector.ts';
import {makeBundle} from '#appliance/diagnostics/bundle/make-bundle.ts';
import {readTail} from '#appliance/diagnostics/bundle/read-bounded.ts';
import {createRedactor, redactStructure, secretsOfEnvironment} from '#appliance/diagnostics/bundle/redact.ts';
import {crashCollector, logFileCollectors, systemCollectors} from '#appliance/diagnostics/bundle/system-collectors.ts';
import {runTool} from '#appliance/diagnostics/run-tool.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

type Manifest = {
	readonly entries: readonly {
		readonly name: string;
		readonly sizeBytes: number;
		readonly truncated: boolean;
		readonly error?: {readonly code: string; readonly message: string};
	}[];
};

const unpack = async (archive: Buffer): Promise<ReadonlyMap<string, string>> => {
	const files = new Map<string, string>();
	const tar = extract();
	tar.end(gunzipSync(archive));
	for await (const entry of tar) {
		files.set(entry.header.name, (await buffer(entry)).toString('utf8'));
	}
	return files;
};

const bundleOf = async (
	collectors: readonly Collector[],
	options: {readonly deadlineMs?: number; readonly bytesMax?: number; readonly redact?: (text: string) => string} = {},
) => {
	const {deadlineMs = 20_000, redact = createRedactor([])} = options;
	const stream = makeBundle({
		...{collectors, deadlineMs, redact, signal: new AbortController().signal, facts: {box: 'box-1'}},
		...(options.bytesMax === undefined ? {} : {bytesMax: options.bytesMax}),
	});
	const archive = await buffer(stream);
	const files = await unpack(archive);
	return {archive, files, manifest: JSON.parse(files.get('manifest.json') ?? '{}') as Manifest};
};

test('a bundle of a real machine is a tar.gz with what its tools say, and a manifest', async (t) => {
	const {files, manifest} = await bundleOf(systemCollectors);
	t.is(manifest.entries.length, systemCollectors.length);
	t.regex(files.get('system/uname.txt') ?? '', /Linux/);
	t.regex(files.get('system/memory.txt') ?? '', /MemTotal/);
	t.regex(files.get('network/counters.txt') ?? '', /Igmp|Udp/u);
	t.regex(files.get('disk/free.txt') ?? '', /Filesystem/);
	for (const {name, error, sizeBytes} of manifest.entries) {
		t.true(error !== undefined || files.get(name)?.length !== undefined || sizeBytes === 0, name);
	}
});

test('collectors that hang, fail or drown cost their own files, and the bundle ends by its deadline', async (t) => {
	const directory = await withDirectory(t);
	const fifo = path.join(directory, 'fifo');
	execFileSync('mkfifo', [fifo]);
	// The deadlines are timers that keep no process alive; a box's supervisor has its own reasons to live.
	const alive = setInterval(() => undefined, 1000);
	t.teardown(() => clearInterval(alive));
	const startedMs = performance.now();
	const {files, manifest} = await bundleOf(
		[
			{name: 'deaf.txt', deadlineMs: 300, collect: () => new Promise<never>(() => undefined)},
			{
				name: 'sleeping.txt',
				deadlineMs: 300,
				collect: async ({signal}) => (await runTool('sleep', {args: ['600'], bytesMax: 10, signal})).output,
			},
			{name: 'fifo.txt', collect: async (options) => await readTail(fifo, options)},
			{
				name: 'flood.txt',
				bytesMax: 1000,
				collect: async ({signal, bytesMax}) => (await runTool('yes', {bytesMax, signal})).output,
			},
			{name: 'none.txt', collect: async ({signal}) => (await runTool('no-such-tool', {bytesMax: 1, signal})).output},
			{name: 'whole-deadline.txt', deadlineMs: 60_000, collect: () => new Promise<never>(() => undefined)},
			{name: 'whole-deadline-too.txt', deadlineMs: 60_000, collect: () => new Promise<never>(() => undefined)},
			{name: 'whole-deadline-three.txt', deadlineMs: 60_000, collect: () => new Promise<never>(() => undefined)},
			{name: 'after.txt', collect: () => Promise.resolve('never asked')},
			{name: 'good.txt', collect: () => Promise.resolve('good')},
		],
		{deadlineMs: 3000},
	);
	t.true(performance.now() - startedMs < 30_000, 'half of what the slowest would take');
	const codes = Object.fromEntries(manifest.entries.map(({name, error}) => [name, error?.code]));
	t.like(codes, {
		'deaf.txt': 'DIAGNOSTICS_DEADLINE',
		'sleeping.txt': 'DIAGNOSTICS_DEADLINE',
		'fifo.txt': 'DIAGNOSTICS_NOT_A_FILE',
		'none.txt': 'DIAGNOSTICS_NOT_HERE',
		'whole-deadline.txt': 'DIAGNOSTICS_DEADLINE',
		'after.txt': 'DIAGNOSTICS_DEADLINE',
	});
	t.is(files.get('flood.txt')?.length, 1000);
});

test('a collector has more than its own time in a bundle that has much, and not for ever', async (t) => {
	const alive = setInterval(() => undefined, 1000);
	t.teardown(() => clearInterval(alive));
	const {files, manifest} = await bundleOf(
		[
			{name: 'slow.txt', deadlineMs: 200, collect: ({signal}) => sleep(500, {signal}).then(() => 'slow')},
			{name: 'deaf.txt', deadlineMs: 5, collect: () => new Promise<never>(() => undefined)},
		],
		{deadlineMs: 3_200_000},
	);
	t.is(files.get('slow.txt'), 'slow', files.get('manifest.json'));
	t.is(manifest.entries.find(({name}) => name === 'deaf.txt')?.error?.code, 'DIAGNOSTICS_DEADLINE');
});

test('a bundle may have any number of milliseconds', async (t) => {
	const collectors = [undefined, 3].map((deadlineMs, index) => ({
		...{name: `${index}.txt`, collect: () => Promise.resolve('there')},
		...(deadlineMs === undefined ? {} : {deadlineMs}),
	}));
	for (const deadlineMs of [60_000, 60_001, 60_002, 60_003]) {
		t.is((await bundleOf(collectors, {deadlineMs})).files.get('0.txt'), 'there', `${deadlineMs}`);
	}
});

test('all entries together keep the bound', async (t) => {
	const letters = Buffer.alloc(400, 'x');
	const collectors = ['a', 'b', 'c'].map((name) => ({name, collect: () => Promise.resolve(letters)}));
	const {files, manifest} = await bundleOf(collectors, {bytesMax: 1000});
	t.is(
		[...files].reduce((sum, [name, text]) => sum + (name === 'manifest.json' ? 0 : text.length), 0),
		1000,
	);
	t.is(manifest.entries.filter(({truncated}) => truncated).length, 1);
});

test('no secret of the configuration, the environment, a log or a file is in a bundle', async (t) => {
	const directory = await withDirectory(t);
	const secrets = {
		configured: 'Zt7-configured-secret',
		nested: 'Zt7-nested-secret',
		inUrl: 'Zt7-url-secret',
		environment: 'Zt7-environment-secret',
		bearer: 'Zt7bearer.secret',
		assigned: 'Zt7-assigned-secret',
		claim: 'Zt7-claim-token-of-one-use',
		pem: 'Zt7PemPrivateMaterial',
	};
	await mkdir(path.join(directory, 'crash'));
	await writeFile(
		path.join(directory, 'stb.log'),
		[
			`connected with Authorization: Bearer ${secrets.bearer}`,
			`starting --api-key ${secrets.assigned} now`,
			`{"level":30,"msg":"x","password":"${secrets.assigned}"}`,
			`the configured one by itself: ${secrets.configured}`,
			`GET rtsp://camera:${secrets.inUrl}@10.0.0.1/stream`,
			`-----BEGIN PRIVATE KEY-----\n${secrets.pem}\n-----END PRIVATE KEY-----`,
			`enrolled with ${secrets.claim}`,
		].join('\n'),
	);
	await writeFile(
		path.join(directory, 'crash', 'report.1.json'),
		JSON.stringify({environmentVariables: {MY_TOKEN: secrets.environment}}),
	);
	const config = {
		stb: {
			origin: `https://user:${secrets.inUrl}@origin.example/`,
			drm: {apiKey: secrets.configured, credentials: {user: 'u', value: secrets.nested}},
			cache: {budgetBytes: 10},
		},
	};
	const known = new Set([...secretsOfEnvironment({MY_TOKEN: secrets.environment}), secrets.claim]);
	redactStructure(config, known);
	const {archive, files} = await bundleOf(
		[
			...boxCollectors({
				config: () => config,
				supervisorStatus: () => ({services: [{outputTail: [`token=${secrets.assigned}`, secrets.nested]}]}),
				linkStatus: () => ({connected: false}),
				roleEndpoints: () => ({}),
				logLines: () => [`passphrase: ${secrets.assigned}`, secrets.environment],
			}),
			...(await logFileCollectors(directory)),
			crashCollector([path.join(directory, 'crash')]),
		],
		{redact: createRedactor(known)},
	);
	const text = gunzipSync(archive).toString('utf8');
	for (const [name, secret] of Object.entries(secrets)) {
		t.false(text.includes(secret), name);
	}
	t.regex(files.get('box/config.json') ?? '', /"budgetBytes": 10/u);
	t.regex(files.get('log/stb.log') ?? '', /connected with Authorization/u);
	t.true(files.has('crash/reports.txt'));
});

test('what is no secret stays readable', (t) => {
	const redact = createRedactor([]);
	for (const text of [
		'tokenizer=fast keyboard=us monkey: banana',
		'sha256=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
		'GET http://dvb.gw/example/release/1.mp4 200',
		'stb running since 12:00:00, restarts: 3',
	]) {
		t.is(redact(text), text);
	}
});

test('a secret is found behind a name that is none, and on the line below one', (t) => {
	const redact = createRedactor([]);
	t.is(redact('error: password: Zt7-behind'), 'error: password: [removed]');
	t.is(redact('stb:\n\tpassword: Zt7-below\n'), 'stb:\n\tpassword: [removed]\n');
	t.is(redact('url=https://x/?token=Zt7-in-query&page=2'), 'url=https://x/?token=[removed]&page=2');
});

test('the redactor is quick on hostile text', async (t) => {
	const redact = createRedactor(['some-secret']);
	for (const piece of [
		'a.',
		'a://',
		'-----BEGIN PRIVATE KEY-----',
		'password ',
		'password=',
		'a=',
		'--token ',
		'"":',
		'eyJaaaaaa.',
		'\u0000=',
	]) {
		const isSlow = (): boolean => {
			const startedMs = performance.now();
			redact(piece.repeat(1_000_000 / piece.length));
			return performance.now() - startedMs >= 2000;
		};
		// A machine that was given no time for a while is slow once, a pattern each time.
		t.false(isSlow() && isSlow() && isSlow(), piece);
		await sleep(0);
	}
});
