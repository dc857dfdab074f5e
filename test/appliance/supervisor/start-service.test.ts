import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import type {ServiceDescription} from '#appliance/supervisor/service-description.ts';
import {type Service, startService} from '#appliance/supervisor/start-service.ts';
import {eventually} from '#test/helper/eventually.ts';
import {isProcessAlive} from '#test/helper/is-process-alive.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const shell = (name: string, script: string, more: Partial<ServiceDescription> = {}): ServiceDescription => ({
	name,
	command: '/bin/sh',
	args: ['-c', script],
	readiness: {kind: 'spawned'},
	restartDelayMinMs: 10,
	restartDelayMaxMs: 50,
	...more,
});

const withService = (
	t: ExecutionContext,
	description: ServiceDescription,
	signal = new AbortController().signal,
): Service => {
	const service = startService(description, {logger: silentLogger(), signal});
	t.teardown(() => service.stop());
	return service;
};

const inTime = () => ({signal: AbortSignal.timeout(30_000)});

test.serial('a process that ends is started again, and its last words are kept', async (t) => {
	const service = withService(t, shell('brief', 'echo last words; exit 3'));
	await eventually('three restarts', () => service.snapshot().state.restarts >= 3);
	t.true(service.snapshot().outputTail.includes('last words'));
	t.like(service.snapshot().lastFailure, {kind: 'exited', text: 'exited with code 3'});
});

test.serial('a probe decides when it is ready', async (t) => {
	let asked = 0;
	const probe = (): Promise<boolean> => {
		asked += 1;
		return asked < 3 ? Promise.reject(new Error('refused')) : Promise.resolve(asked >= 4);
	};
	const service = withService(t, shell('probed', 'exec sleep 600', {readiness: {kind: 'probe', probe, intervalMs: 5}}));
	t.is(service.snapshot().state.kind, 'starting');
	await service.ready(inTime());
	t.is(asked, 4);
});

test.serial('a process that ignores SIGTERM is killed, with what it started', async (t) => {
	const directory = await withDirectory(t);
	const script = `trap '' TERM; sleep 600 & echo $! > ${directory}/pid; wait; wait`;
	const service = withService(t, shell('stubborn', script, {stopTimeoutMs: 200}));
	await service.ready(inTime());
	const grandchild = await eventually(
		'grandchild',
		// The file is there before there is something in it.
		async () => Number(await readFile(path.join(directory, 'pid'), 'utf8')) || undefined,
	);
	const {pid = 0} = service.snapshot();
	t.true(isProcessAlive(pid) && isProcessAlive(grandchild));
	await service.stop();
	t.false(isProcessAlive(pid));
	await eventually('the grandchild is gone', () => !isProcessAlive(grandchild));
});

test.serial('what a process left behind goes before the next one starts', async (t) => {
	const directory = await withDirectory(t);
	const service = withService(t, shell('leaky', `sleep 600 & echo $! >> ${directory}/pids; exit 1`));
	await eventually('restarts', () => service.snapshot().state.restarts >= 2);
	await service.stop();
	const pids = (await readFile(path.join(directory, 'pids'), 'utf8')).trim().split('\n').map(Number);
	t.true(pids.length >= 2);
	await eventually('all are gone', () => pids.every((pid) => !isProcessAlive(pid)));
});

test.serial('a start that takes too long is ended and tried again', async (t) => {
	const probe = () => Promise.resolve(false);
	const service = withService(
		t,
		shell('slow', 'exec sleep 600', {readiness: {kind: 'probe', probe}, startTimeoutMs: 100}),
	);
	await eventually('a restart', () => service.snapshot().state.restarts >= 1);
	t.is(service.snapshot().lastFailure?.kind, 'start-timeout');
});

test.serial('a command that is not there is told, tried again, and can be stopped', async (t) => {
	const service = withService(t, {...shell('absent', ''), command: '/nonexistent/daemon'});
	await eventually('restarts', () => service.snapshot().state.restarts >= 1);
	t.truthy(service.snapshot().lastFailure);
	await service.stop();
	t.is(service.snapshot().state.kind, 'stopped');
});

test.serial('a message of ours that is none is ignored; one that is none of ours never makes it ready', async (t) => {
	const script = 'process.send({kind: "launch"}); process.send("x"); setInterval(() => {}, 1000)';
	const description = {
		...shell('odd', ''),
		command: process.execPath,
		args: ['-e', script],
		readiness: {kind: 'message'},
	} as const;
	const service = withService(t, {...description, startTimeoutMs: 300});
	await eventually('a restart', () => service.snapshot().state.restarts >= 1);
	t.deepEqual(service.snapshot().endpoints, {});
});

test.serial('the signal stops it; who waited for it to be ready hears so', async (t) => {
	const controller = new AbortController();
	const probe = () => Promise.resolve(false);
	const service = withService(
		t,
		shell('waited', 'exec sleep 600', {readiness: {kind: 'probe', probe}}),
		controller.signal,
	);
	const waiting = t.throwsAsync(service.ready(inTime()), {code: 'APPLIANCE_SERVICE_STOPPED'});
	controller.abort();
	await waiting;
	await service.stop();
	t.is(service.snapshot().pid, undefined);
});

test.serial('waiting for ready ends with the caller’s own signal', async (t) => {
	const probe = () => Promise.resolve(false);
	const service = withService(t, shell('never', 'exec sleep 600', {readiness: {kind: 'probe', probe}}));
	await t.throwsAsync(service.ready({signal: AbortSignal.timeout(50)}), {name: 'TimeoutError'});
});

test.serial('an order to restart gives a new process', async (t) => {
	const service = withService(t, shell('renewed', 'exec sleep 600'));
	await service.ready(inTime());
	const {pid} = service.snapshot();
	service.restart('its configuration changed');
	await eventually(
		'a new process',
		() => service.snapshot().state.kind === 'running' && service.snapshot().pid !== pid,
	);
	t.is(service.snapshot().lastFailure?.text, 'its configuration changed');
});

test.serial('kill -9 in a loop: it is always there again', async (t) => {
	const service = withService(t, shell('immortal', 'exec sleep 600'));
	for (let round = 1; round <= 10; round += 1) {
		const pid = await eventually(
			'running',
			() => service.snapshot().state.kind === 'running' && service.snapshot().pid,
		);
		process.kill(pid, 'SIGKILL');
		await eventually('restarted', () => service.snapshot().state.restarts === round);
	}
	await service.ready(inTime());
	t.is(service.snapshot().lastFailure?.text, 'ended by SIGKILL');
});
