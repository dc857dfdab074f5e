import {existsSync} from 'node:fs';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {commissionStateSchema} from '#appliance/commission/commission-schema.ts';
import {type SupervisorStatus, supervisorStatusSchema} from '#appliance/contract/supervisor-status-schema.ts';
import {identityDirectoryOf} from '#appliance/identity/identity-files.ts';
import {exitCode} from '#appliance/process/exit-code.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {sendNotify} from '#native/notify/notify.ts';
import {eventually} from '#test/helper/eventually.ts';
import {isProcessAlive} from '#test/helper/is-process-alive.ts';
import {type BoxFile, withBoxFile} from '#test/helper/with-box-file.ts';
import {sampleClaim} from '#test/helper/with-commission.ts';
import {type NotifySocket, withNotifySocket} from '#test/helper/with-notify-socket.ts';
import {withProcess} from '#test/helper/with-process.ts';

const start = (t: ExecutionContext, {filePath}: BoxFile, environment: Record<string, string> = {}) => {
	const supervisor = withProcess(t, {script: 'test/fake/supervisor-main.ts', args: [filePath], environment});
	const url = () =>
		eventually('the supervisor’s address', () => /"url":"(http:[^"]+)"/u.exec(supervisor.output())?.[1]);
	const status = async (): Promise<SupervisorStatus> =>
		supervisorStatusSchema.parse(await (await fetch(`${await url()}/status`)).json());
	const service = async () => {
		const [first] = (await status()).services;
		return first ?? t.fail('the supervisor has no service');
	};
	const healthy = () => eventually('healthy', async () => (await status()).healthy);
	return {...supervisor, url, status, service, healthy};
};

const rolePid = async ({stateDirectory}: BoxFile): Promise<number> =>
	Number(await readFile(path.join(stateDirectory, 'role.pid'), 'utf8'));

test.serial('it tells a healthy role in every way, and stops in order', async (t) => {
	const box = await withBoxFile(t);
	const supervisor = start(t, box);
	await supervisor.healthy();
	const url = await supervisor.url();
	const health = await fetch(`${url}/health`);
	t.is(health.status, 200);
	t.deepEqual(await health.json(), {healthy: true, reasons: []});
	t.regex(await (await fetch(`${url}/metrics`)).text(), /streamverse_service_up\{service="stb"\} 1/);
	t.regex(await (await fetch(`${url}/`)).text(), /healthy/);
	t.like(await supervisor.service(), {state: 'running', restarts: 0, endpoints: {http: 'http://127.0.0.1:9'}});
	supervisor.kill('SIGTERM');
	t.is((await supervisor.ended).code, exitCode.success);
	t.false(isProcessAlive(await rolePid(box)));
});

test.serial('a role that is killed comes back, again and again', async (t) => {
	const box = await withBoxFile(t);
	const supervisor = start(t, box);
	for (let round = 0; round < 3; round += 1) {
		await eventually('running', async () => {
			const {state, restarts} = await supervisor.service();
			return state === 'running' && restarts === round;
		});
		process.kill(await rolePid(box), 'SIGKILL');
	}
	await eventually('running once more', async () => (await supervisor.service()).restarts === 3);
	t.like((await supervisor.service()).lastFailure, {kind: 'exited', text: 'ended by SIGKILL'});
});

test.serial('a role whose loop stands still is found by its heartbeat and started again', async (t) => {
	const box = await withBoxFile(t, {
		stb: {blockAfterMs: 200},
		supervisor: {heartbeatTimeoutMs: 2000, stopTimeoutMs: 300},
	});
	const supervisor = start(t, box);
	await eventually('a restart', async () => (await supervisor.service()).restarts >= 1);
	t.is((await supervisor.service()).lastFailure?.kind, 'heartbeat-lost');
});

test.serial('a crash loop is visible: 503, the reason, and the metric', async (t) => {
	const supervisor = start(t, await withBoxFile(t, {stb: {refuseToStart: true}}));
	await eventually('a crash loop', async () => (await supervisor.service()).crashLoop, {timeoutMs: 90_000});
	const health = await fetch(`${await supervisor.url()}/health`);
	t.is(health.status, 503);
	t.regex(((await health.json()) as {reasons: string[]}).reasons[0] ?? '', /stb is .* crash loop.*exited with code 1/);
});

test.serial('a mistake in the role’s section leaves the box reachable', async (t) => {
	const supervisor = start(t, await withBoxFile(t, {stb: {nonsense: 1}}));
	await eventually('the failure is told', async () =>
		/exited with code 78/u.test((await supervisor.status()).reasons.join()),
	);
	supervisor.kill('SIGTERM');
	t.is((await supervisor.ended).code, exitCode.success);
});

test.serial('kill -9 of the supervisor leaves no orphan, and the next one starts clean', async (t) => {
	const box = await withBoxFile(t, {stb: {grandchild: true}});
	for (let round = 0; round < 3; round += 1) {
		const supervisor = start(t, box);
		await supervisor.healthy();
		const pid = await rolePid(box);
		supervisor.kill('SIGKILL');
		await supervisor.ended;
		await eventually('the role is gone', () => !isProcessAlive(pid));
	}
	t.pass();
});

test.serial('a role that is blocked does not outlive a supervisor that is killed', async (t) => {
	const box = await withBoxFile(t, {stb: {blockAfterMs: 1}});
	const supervisor = start(t, box);
	await supervisor.healthy();
	supervisor.kill('SIGKILL');
	const pid = await rolePid(box);
	await eventually('the role is gone', () => !isProcessAlive(pid));
	t.pass();
});

test.serial('a role that takes too long to stop is killed, and the supervisor still ends with code 0', async (t) => {
	const box = await withBoxFile(t, {stb: {blockAfterMs: 1}, supervisor: {stopTimeoutMs: 500}});
	const supervisor = start(t, box);
	await supervisor.healthy();
	const startMs = performance.now();
	supervisor.kill('SIGTERM');
	t.is((await supervisor.ended).code, exitCode.success);
	t.true(performance.now() - startMs >= 450);
	t.false(isProcessAlive(await rolePid(box)));
});

const pageIsOpen = (output: string): boolean => output.includes('the technician’s page is open');

test.serial('the role comes before the page of the technician, which waits for none that fails', async (t) => {
	const commission = {listen: {port: 0}};
	const slow = start(t, await withBoxFile(t, {supervisor: {commission}, stb: {readyAfterMs: 3000}}));
	await slow.url();
	t.false(pageIsOpen(slow.output()));
	await eventually('open', () => pageIsOpen(slow.output()));
	t.like(await slow.service(), {state: 'running'});

	const failing = start(t, await withBoxFile(t, {supervisor: {commission}, stb: {refuseToStart: true}}));
	await failing.url();
	await eventually('open all the same', () => pageIsOpen(failing.output()), {timeoutMs: 10_000});
});

test.serial('a claimed box takes no other claim from its home while its fleet’s side is not there', async (t) => {
	const box = await withBoxFile(t, {
		...{supervisor: {commission: {listen: {port: 0}}}, fleet: {claimFile: 'claim.json'}},
	});
	const directory = identityDirectoryOf(box.stateDirectory);
	await mkdir(directory);
	await writeFile(path.join(directory, 'claim.json'), JSON.stringify(sampleClaim()));
	const {output} = start(t, box);
	const url = await eventually('the page', () => /"commissionUrl":"(http:[^"]+?)\/?"/u.exec(output())?.[1]);
	const answer = await fetch(`${url}/api/claim`, {
		method: 'POST',
		headers: {Origin: url, 'Content-Type': 'application/json'},
		body: JSON.stringify({claim: sampleClaim({token: 'zyxwvutsrqponmlkjihgfedcba'})}),
	});
	t.is(answer.status, 403);
	t.false(existsSync(path.join(path.dirname(box.filePath), 'claim.json')));
});

test.serial('a reset is offered where the next boot would find that it was asked for', async (t) => {
	const stateOf = async (box: BoxFile) => {
		const {output, kill} = start(t, box);
		const url = await eventually('the page', () => /"commissionUrl":"(http:[^"]+?)\/?"/u.exec(output())?.[1]);
		const state = commissionStateSchema.parse(await (await fetch(`${url}/api/state`)).json());
		kill('SIGTERM');
		return state;
	};
	const box = await withBoxFile(t, {supervisor: {commission: {listen: {port: 0}}}});
	t.like(await stateOf(box), {takesReset: true, codeNeeded: false});
	const runDirectory = path.join(path.dirname(box.filePath), 'run');
	await mkdir(runDirectory);
	await writeFile(path.join(runDirectory, 'state-lost'), 'it cannot be mounted\n');
	t.like(await stateOf(box), {takesReset: false, codeNeeded: true}, 'nor can be read whose it is');
});

test.serial('systemd hears READY, STATUS, WATCHDOG and STOPPING, in that order', async (t) => {
	const socket = await withNotifySocket(t);
	const environment = {NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '200000'};
	const supervisor = start(t, await withBoxFile(t), environment);
	await eventually('the role runs', () => socket.datagrams().some((line) => line.includes('1 of 1 services run')));
	await eventually('a watchdog ping', () => socket.datagrams().includes('WATCHDOG=1'));
	supervisor.kill('SIGTERM');
	await supervisor.ended;
	const lines = await eventually(
		'stopping',
		() => socket.datagrams().some((line) => line.startsWith('STOPPING=1')) && socket.datagrams(),
	);
	const at = (start: string): number => lines.findIndex((line) => line.startsWith(start));
	t.true(at('READY=1') >= 0 && at('READY=1') < at('WATCHDOG=1') && at('WATCHDOG=1') < at('STOPPING=1'));
});

/** Where in the datagrams this one is, behind all that was sent before it. */
const mark = async (socket: NotifySocket, text: string): Promise<number> => {
	// It throws while the queue is full.
	await eventually('room in the queue', () => {
		sendNotify(socket.path, text);
		return true;
	});
	await eventually(text, () => socket.datagrams().includes(text));
	return socket.datagrams().indexOf(text);
};

test.serial('the watchdog starves once the role has been down for too long', async (t) => {
	const socket = await withNotifySocket(t);
	const box = await withBoxFile(t, {stb: {refuseToStart: true}, supervisor: {serviceOutageMaxMs: 1000}});
	const supervisor = start(t, box, {NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '100000'});
	await eventually('it says so', () => supervisor.output().includes('watchdog is no longer fed'));
	const from = await mark(socket, 'FROM=1');
	await sleep(500);
	await supervisor.status();
	const to = await mark(socket, 'TO=1');
	t.true(socket.datagrams().slice(0, from).includes('WATCHDOG=1'));
	t.false(socket.datagrams().slice(from, to).includes('WATCHDOG=1'), 'of ten feeds none came');
});

test.serial('a box’s file with mistakes ends the supervisor at once', async (t) => {
	const box = await withBoxFile(t);
	await writeFile(box.filePath, 'version: 1\n');
	const supervisor = start(t, box);
	const {code} = await supervisor.ended;
	t.true(code === exitCode.configuration || code === exitCode.failure);
	t.regex(supervisor.output(), /box: is missing/);
});
