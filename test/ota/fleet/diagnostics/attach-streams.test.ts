import test, {type ExecutionContext} from 'ava';
import {WebSocket} from 'ws';
import {listen} from '#appliance/http/listen.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import type {AccountRole} from '#ota/contract/account-api.ts';
import type {CommandView} from '#ota/contract/command-api.ts';
import {streamSubprotocol} from '#ota/contract/diagnostics-api.ts';
import type {Identity} from '#ota/fleet/api/identity.ts';
import type {AuditEntry} from '#ota/fleet/audit/audit-entry.ts';
import {attachStreams} from '#ota/fleet/diagnostics/attach-streams.ts';
import {diagnosticsLimits} from '#ota/fleet/diagnostics/diagnostics-limits.ts';
import {createDiskItems} from '#ota/fleet/diagnostics/disk-items.ts';
import {StreamBridge} from '#ota/fleet/diagnostics/stream-bridge.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withFleetContext} from '#test/helper/with-fleet-context.ts';

/** Between pings: soon for a test, and longer than a busy machine is held up over an answer or a line that was cut. */
const oftenMs = 1000;

const withStreams = async (t: ExecutionContext, role: AccountRole, pingMs = 30_000) => {
	const context = await withFleetContext(t);
	const directory = await withDirectory(t);
	const given: unknown[] = [];
	const audit: AuditEntry[] = [];
	const signedIn: {identity: Identity | undefined} = {
		identity: {kind: 'session', mustChangePassword: false, actor: {id: 'person-1', name: 'Person', role}},
	};
	const bridge = new StreamBridge({
		context,
		broker: {
			publish: () => Promise.resolve(),
			subscribe: () => Promise.resolve({[Symbol.asyncDispose]: () => Promise.resolve()}),
			onConnected: () => () => undefined,
		},
		commands: {
			give: (command) => {
				given.push(command);
				return Promise.resolve({} as CommandView);
			},
		},
		limits: {...diagnosticsLimits, streamsPerActorMax: 2},
		items: createDiskItems({directory}),
	});
	const listener = await listen({handler: (_request, response) => response.end(), host: '127.0.0.1', port: 0});
	const attached = attachStreams(listener.server, {
		...{bridge, logger: silentLogger(), pingMs},
		authenticate: () => Promise.resolve(signedIn.identity),
		writeAudit: (entry) => Promise.resolve(audit.push(entry)),
	});
	t.teardown(async () => {
		await bridge[Symbol.asyncDispose]();
		attached[Symbol.dispose]();
		await listener[Symbol.asyncDispose]();
	});
	const open = async (path: string, headers: Record<string, string> = {}) => {
		const socket = new WebSocket(`${listener.url.replace('http', 'ws')}${path}`, streamSubprotocol, {headers});
		const heard: string[] = [];
		const opened = Promise.withResolvers<void>();
		socket.on('message', (data) => {
			heard.push(String(data));
			opened.resolve();
		});
		socket.on('error', opened.reject);
		await opened.promise;
		return {socket, heard};
	};
	return {bridge, open, given, audit, signedIn, host: new URL(listener.url).host};
};

const terminal = '/api/v1/boxes/box-1/streams?kind=terminal';

test('who may not is refused, and written down', async (t) => {
	const viewer = await withStreams(t, 'viewer');
	await t.throwsAsync(viewer.open(terminal), {message: /403/u});
	t.like(viewer.audit[0], {outcome: 'refused', box: 'box-1', actorId: 'person-1', action: 'openStream terminal'});
	const operator = await withStreams(t, 'operator');
	await t.throwsAsync(operator.open(`${terminal}&elevated=true`), {message: /403/u});
	await operator.open(terminal);
	t.like(operator.audit.at(-1), {outcome: 'done'});
	t.like(operator.given, [{name: 'open-stream', arguments: {stream: {kind: 'terminal', elevated: false}}}]);
	const admin = await withStreams(t, 'admin');
	await admin.open(`${terminal}&elevated=true`);
	t.like(admin.given, [{arguments: {stream: {elevated: true}}}]);
});

test('another site may not open a stream with a person’s cookie, and other paths are none', async (t) => {
	const {open, host} = await withStreams(t, 'operator');
	await t.throwsAsync(open(terminal, {origin: 'https://evil.example'}), {message: /403/u});
	await t.throwsAsync(open(terminal, {origin: 'null'}), {message: /403/u});
	await t.notThrowsAsync(open(terminal, {origin: `http://${host}`}));
	for (const path of [
		'/',
		'/api/v1/boxes/box-1/stream',
		'/api/v1/boxes/box-1/streams/x',
		'/api/v1/boxes/a/b/streams',
	]) {
		await t.throwsAsync(open(path), {message: /404/u}, path);
	}
	for (const path of [
		'/api/v1/boxes/BOX/streams?kind=log',
		'/api/v1/boxes/..%2f/streams?kind=log',
		`${terminal}&more=1`,
	]) {
		await t.throwsAsync(open(path), {message: /400/u}, path);
	}
});

test('a stream ends when its watcher is signed out or loses the role', async (t) => {
	const {open, signedIn, bridge} = await withStreams(t, 'operator', oftenMs);
	const {heard} = await open(terminal);
	signedIn.identity = undefined;
	await eventually('the end', () => heard.some((text) => text.includes('OTA_STREAM_ENDED')));
	t.is(bridge.count, 0);
});

test('a stream is one person’s, of bounded number, and messages of bounded size', async (t) => {
	const {open, signedIn, bridge} = await withStreams(t, 'operator');
	const {heard, socket} = await open(terminal);
	await open('/api/v1/boxes/box-1/streams?kind=log');
	await t.throwsAsync(open(terminal), {message: /429/u});
	const {token} = JSON.parse(heard[0] ?? '') as {readonly token: string};
	const resume = `/api/v1/boxes/box-1/streams?kind=resume&after=0&token=${token}`;
	await t.throwsAsync(open(resume.replace('box-1', 'box-2')), {message: /404/u});
	const own = signedIn.identity;
	signedIn.identity = own && {...own, actor: {...own.actor, id: 'person-2'}};
	await t.throwsAsync(open(resume), {message: /404/u});
	signedIn.identity = own;
	socket.send('x'.repeat(200_000));
	await eventually('cut', () => socket.readyState === WebSocket.CLOSED);
	t.is(bridge.count, 2, 'the line is cut, and the stream waits');
	await t.notThrowsAsync(open(resume));
});

test('an elevated terminal is not taken up again by who is no admin any more', async (t) => {
	const {open, signedIn, bridge} = await withStreams(t, 'admin', oftenMs);
	const {heard, socket} = await open(`${terminal}&elevated=true`);
	const {token} = JSON.parse(heard[0] ?? '') as {readonly token: string};
	const resume = `/api/v1/boxes/box-1/streams?kind=resume&after=0&token=${token}`;
	socket.terminate();
	const again = await open(resume);
	const own = signedIn.identity;
	again.socket.terminate();
	await eventually('gone', () => again.socket.readyState === WebSocket.CLOSED);
	signedIn.identity = own && {...own, actor: {...own.actor, role: 'operator'}};
	await t.throwsAsync(open(resume), {message: /403/u});
	signedIn.identity = own;
	const third = await open(resume);
	signedIn.identity = own && {...own, actor: {...own.actor, role: 'operator'}};
	await eventually('the end', () => third.heard.some((text) => text.includes('OTA_STREAM_ENDED')));
	t.is(bridge.count, 0);
});
