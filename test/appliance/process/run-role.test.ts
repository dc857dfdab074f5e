import {existsSync, readdirSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {roleMessageSchema} from '#appliance/contract/role-message-schema.ts';
import {exitCode} from '#appliance/process/exit-code.ts';
import {eventually} from '#test/helper/eventually.ts';
import {type BoxFile, withBoxFile} from '#test/helper/with-box-file.ts';
import {withProcess} from '#test/helper/with-process.ts';

const script = 'test/fake/role-main.ts';
const runningRole = (
	t: Parameters<typeof withProcess>[0],
	{filePath}: BoxFile,
	options: {readonly ipc?: boolean; readonly environment?: Readonly<Record<string, string>>} = {},
) => withProcess(t, {script, args: ['--config', filePath], ...options});
const ready = (role: ReturnType<typeof runningRole>) =>
	eventually('ready', () => role.output().includes('"msg":"ready"'));

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
	test.serial(`${signal} disposes the role and ends it with code 0`, async (t) => {
		const box = await withBoxFile(t);
		const role = runningRole(t, box);
		await ready(role);
		role.kill(signal);
		t.deepEqual(await role.ended, {code: exitCode.success, signal: null});
		t.true(existsSync(path.join(box.stateDirectory, 'disposed')));
	});
}

test.serial(
	'what V8 made of its source is kept while it runs, because a plug that is pulled lets nothing end',
	async (t) => {
		const box = await withBoxFile(t);
		const cache = path.join(box.stateDirectory, 'compile-cache');
		runningRole(t, box, {environment: {NODE_COMPILE_CACHE: cache}});
		const files = (): readonly string[] =>
			readdirSync(cache, {recursive: true, withFileTypes: true})
				.filter((entry) => entry.isFile())
				.map(({name}) => name);
		t.true(await eventually('kept', () => existsSync(cache) && files().length > 0));
	},
);

test.serial('a second order ends a role that takes its time', async (t) => {
	const box = await withBoxFile(t, {stb: {disposeMs: 60_000}});
	const role = runningRole(t, box);
	await ready(role);
	role.kill('SIGTERM');
	await eventually('stopping', () => role.output().includes('"msg":"stopping"'));
	role.kill('SIGTERM');
	t.is((await role.ended).code, 128 + 15);
});

test.serial('a role that does not stop in time is ended by force', async (t) => {
	const role = runningRole(t, await withBoxFile(t, {stb: {disposeMs: 60_000}, supervisor: {stopTimeoutMs: 300}}));
	await ready(role);
	const startMs = performance.now();
	role.kill('SIGTERM');
	t.is((await role.ended).code, exitCode.stopTimeout);
	t.true(performance.now() - startMs >= 270);
});

test.serial('an order during the start stops it, with code 0', async (t) => {
	const box = await withBoxFile(t, {stb: {readyAfterMs: 60_000}});
	const role = runningRole(t, box);
	await eventually('started', () => existsSync(path.join(box.stateDirectory, 'role.pid')));
	role.kill('SIGTERM');
	t.is((await role.ended).code, exitCode.success);
});

test.serial('an error that nobody catches is logged as fatal and ends with code 70', async (t) => {
	const role = runningRole(t, await withBoxFile(t, {stb: {crashAfterMs: 10}}));
	t.is((await role.ended).code, exitCode.software);
	t.regex(role.output(), /"level":60.*this role crashes/);
});

test.serial('a role that cannot start says why and ends with code 1', async (t) => {
	const role = runningRole(t, await withBoxFile(t, {stb: {refuseToStart: true}}));
	t.is((await role.ended).code, exitCode.failure);
	t.regex(role.output(), /this role refuses to start/);
});

test.serial('mistakes in the box’s file end with code 78 before anything starts', async (t) => {
	const box = await withBoxFile(t, {stb: {nonsense: 1}});
	const role = runningRole(t, box);
	t.is((await role.ended).code, exitCode.configuration);
	t.regex(role.output(), /stb\.nonsense: is not a known key/);
	t.false(existsSync(path.join(box.stateDirectory, 'role.pid')));
});

test.serial('a call without --config is a usage error', async (t) => {
	t.is((await withProcess(t, {script}).ended).code, exitCode.usage);
});

test.serial('a supervisor hears heartbeats while the role starts, then that it is ready', async (t) => {
	const role = runningRole(t, await withBoxFile(t, {stb: {readyAfterMs: 1200}}), {ipc: true});
	const kinds: string[] = [];
	role.child.on('message', (message) => kinds.push(roleMessageSchema.parse(message).kind));
	await eventually('ready', () => kinds.includes('ready'));
	t.deepEqual(kinds.slice(0, 2), ['begun', 'heartbeat']);
});

test.serial(
	'a role takes a changed file up as it runs, unless it cannot, or more than its own part has changed',
	async (t) => {
		const box = await withBoxFile(t, {stb: {says: 'first', takesChanges: true}});
		const role = runningRole(t, box, {ipc: true});
		const answers: unknown[] = [];
		role.child.on('message', (message) => {
			const parsed = roleMessageSchema.parse(message);
			if (parsed.kind === 'answer') {
				answers.push(parsed.outcome);
			}
		});
		await ready(role);
		const before = await readFile(box.filePath, 'utf8');
		const answerTo = async (text: string): Promise<unknown> => {
			await writeFile(box.filePath, text);
			const count = answers.length;
			role.child.send({kind: 'order', id: `${count}`, order: {kind: 'reconfigure', filePath: box.filePath}});
			await eventually('an answer', () => answers.length > count);
			return answers.at(-1);
		};
		t.deepEqual(await answerTo(before.replace('first', 'second')), {kind: 'done', result: {taken: true}});
		await eventually('it says so', () => role.output().includes('second'));
		t.deepEqual(await answerTo(`${before}log: {level: debug}\n`), {kind: 'done', result: {taken: false}});
		t.deepEqual(await answerTo(before.replace('true', 'false')), {kind: 'done', result: {taken: false}});
		t.like(await answerTo(before.replace('says', 'sys')), {kind: 'failed', error: {code: 'APPLIANCE_CONFIG_INVALID'}});
	},
);

test.serial('a role ends when its supervisor is gone', async (t) => {
	const box = await withBoxFile(t);
	const role = runningRole(t, box, {ipc: true});
	await ready(role);
	role.child.disconnect();
	t.is((await role.ended).code, exitCode.success);
	t.true(existsSync(path.join(box.stateDirectory, 'disposed')));
});
