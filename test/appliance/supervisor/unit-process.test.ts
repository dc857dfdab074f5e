import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {chmod, mkdir, readFile, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {parse} from 'yaml';
import {silentLogger} from '#appliance/log/logger.ts';
import {planServices} from '#appliance/supervisor/plan-services.ts';
import type {ServiceDescription} from '#appliance/supervisor/service-description.ts';
import {type Service, startService} from '#appliance/supervisor/start-service.ts';
import {projectRoot} from '#native/project-root.ts';
import {eventually} from '#test/helper/eventually.ts';
import {isProcessAlive} from '#test/helper/is-process-alive.ts';
import {withBoxFile} from '#test/helper/with-box-file.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withSocketUnit} from '#test/helper/with-socket-unit.ts';

/** A role as its own unit, as the plan describes it; systemctl kills what systemd would. */
const withUnit = async (
	t: ExecutionContext,
	section: Readonly<Record<string, unknown>>,
	/** Short for a role that is blocked, and is killed in the end whatever time it is given. */
	{stopTimeoutMs = 30_000}: {readonly stopTimeoutMs?: number} = {},
) => {
	const directory = await withDirectory(t);
	const box = await withBoxFile(t, {stb: section});
	const stateDirectory = path.join(directory, 'state');
	await mkdir(stateDirectory);
	const filePath = path.join(directory, 'box.yaml');
	const endPath = path.join(directory, 'last');
	const systemctl = path.join(directory, 'systemctl');
	const {socketPath, processes} = await withSocketUnit(t, {
		command: [process.execPath, path.join(projectRoot, 'test/fake/role-main.ts'), '--config', filePath],
		passAs: 'descriptor',
		connectionsMax: 1,
		onEnded: (instance, {code, signal}) => {
			const how = signal === null ? `exit-code exited ${code}` : `signal killed ${signal.slice('SIG'.length)}`;
			if (signal !== 'SIGUSR2') {
				writeFileSync(endPath, `${instance} ${how}\n`);
			}
		},
	});
	await writeFile(
		systemctl,
		`#!/bin/sh\necho "$@" >>${directory}/asked\nkill -KILL $(cat ${stateDirectory}/role.pid)\n`,
	);
	await chmod(systemctl, 0o755);
	const [planned] = planServices({
		config: {
			box: {id: 'box' as never, kind: 'stb', stateDirectory: box.stateDirectory},
			supervisor: {
				...{startTimeoutMs: 30_000, stopTimeoutMs, heartbeatTimeoutMs: 30_000},
				...{restartDelayMinMs: 10, restartDelayMaxMs: 50},
			} as never,
		},
		filePath: box.filePath,
		nodePath: '/nowhere',
		roleMainPath: () => 'not started by us',
		roleUnit: {
			...{socketPath, filePath, stateDirectory, endPath, systemctl},
			unitPattern: 'streamverse-role@*.service',
		},
	});
	return {
		...{directory, stateDirectory, filePath, endPath, processes},
		asked: () => readFileSync(path.join(directory, 'asked'), 'utf8'),
		start: (more: Partial<ServiceDescription> = {}): Service => {
			const description = planned?.description;
			if (description === undefined) {
				throw new TypeError('nothing is planned');
			}
			const service = startService(
				{...description, ...more},
				{logger: silentLogger(), signal: new AbortController().signal},
			);
			t.teardown(() => service.stop());
			return service;
		},
	};
};

const inTime = () => ({signal: AbortSignal.timeout(60_000)});

test.serial('a role that is a unit of its own is started, asked and stopped over its connection', async (t) => {
	const {start, stateDirectory, filePath, processes} = await withUnit(t, {});
	const service = start();
	await service.ready(inTime());
	const {pid, endpoints} = service.snapshot();
	t.is(pid, processes[0]?.pid);
	t.is(endpoints['http'], 'http://127.0.0.1:9');
	t.is(((await service.ask({kind: 'purge-cache', uriPrefix: 'four'}, inTime())) as {objects: number}).objects, 4);
	t.is((await stat(filePath)).mode & 0o777, 0o640);
	const handedOver = parse(await readFile(filePath, 'utf8'));
	t.is(handedOver.box.stateDirectory, stateDirectory);
	t.is(handedOver.fleet, undefined);
	await service.stop();
	t.false(isProcessAlive(pid ?? 0));
	t.is(await readFile(path.join(stateDirectory, 'disposed'), 'utf8'), '');
});

test.serial('how a unit ended is told in systemd’s words, and the next one is another', async (t) => {
	const {start, processes} = await withUnit(t, {});
	const service = start();
	await service.ready(inTime());
	processes[0]?.kill('SIGSEGV');
	await eventually(
		'the next one',
		() => service.snapshot().state.restarts === 1 && service.snapshot().state.kind === 'running',
	);
	t.like(service.snapshot().lastFailure, {kind: 'exited', text: 'ended by SIGSEGV'});
	t.not(service.snapshot().pid, processes[0]?.pid);
});

test.serial('what a unit leaves in place of its end is neither followed, nor waited for, nor told', async (t) => {
	const {start, processes, endPath, directory} = await withUnit(t, {});
	const service = start();
	await service.ready(inTime());
	const secret = path.join(directory, 'secret');
	await writeFile(secret, '1 secret exited 0\n');
	for (const [index, plant] of [
		() => execFileSync('ln', ['-sf', secret, endPath]),
		() => execFileSync('sh', ['-c', `rm ${endPath}; mkfifo ${endPath}`]),
		() => execFileSync('sh', ['-c', `rm ${endPath}; echo '1 <b> exited 0' >${endPath}`]),
	].entries()) {
		plant();
		processes.at(-1)?.kill('SIGUSR2');
		await eventually('the next one', () => {
			const {state} = service.snapshot();
			return state.restarts === index + 1 && state.kind === 'running';
		});
		t.is(service.snapshot().lastFailure?.text, 'did not begin, or did not say how it ended');
	}
});

test.serial('a unit that does not stop is killed by systemd', async (t) => {
	const {start, asked} = await withUnit(t, {disposeMs: 60_000, blockAfterMs: 0}, {stopTimeoutMs: 300});
	const service = start();
	await service.ready(inTime());
	await service.stop();
	t.regex(asked(), /^kill --signal=SIGKILL streamverse-role@\*\.service$/mu);
});

test.serial('what a supervisor before left behind is killed, and the role starts', async (t) => {
	const {start, processes, asked} = await withUnit(t, {blockAfterMs: 0}, {stopTimeoutMs: 300});
	// It is gone: it does not come back for the connection.
	const before = start({restartDelayMinMs: 3_600_000, restartDelayMaxMs: 3_600_000});
	await before.ready(inTime());
	const service = start();
	await eventually(
		'the role of the second',
		() => processes.length >= 2 && service.snapshot().state.kind === 'running',
	);
	t.regex(asked(), /^kill /mu);
});

test.serial('a box without the socket says so, and tries on', async (t) => {
	const {start} = await withUnit(t, {});
	const service = start();
	await service.stop();
	const alone = startService(
		{
			...{name: 'stb', command: '', readiness: {kind: 'message'}, restartDelayMinMs: 10, restartDelayMaxMs: 20},
			unit: {
				...{socketPath: '/nowhere/role.socket', unitPattern: 'x', endPath: '/nowhere/last', stateDirectory: '/nowhere'},
				...{sourcePath: () => '/dev/null', filePath: path.join(await withDirectory(t), 'box.yaml')},
			},
		},
		{logger: silentLogger(), signal: new AbortController().signal},
	);
	t.teardown(() => alone.stop());
	await eventually('restarts', () => alone.snapshot().state.restarts >= 2);
	t.regex(alone.snapshot().lastFailure?.text ?? '', /ENOENT/u);
});
