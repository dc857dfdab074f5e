import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';
import {stringify} from 'yaml';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {roleMessageSchema} from '#appliance/contract/role-message-schema.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

export type RoleProcess = {
	/** Starts the process; resolves to its endpoints once it says that it is ready. */
	start(): Promise<Readonly<Record<string, string>>>;
	/** SIGKILL: what a power cut is to a process. */
	kill(): Promise<void>;
};

/** A role as a process of its own, that can be killed and started again on the same state. */
export const withRoleProcess = async (
	t: ExecutionContext,
	options: {readonly kind: BoxKind; readonly directory: string; readonly section: unknown},
): Promise<RoleProcess> => {
	const {kind, directory, section} = options;
	const file = join(directory, `${kind}.yaml`);
	const box = {id: `${kind}-process`, kind, stateDirectory: join(directory, `${kind}-process`)};
	await writeFile(file, stringify({version: 1, box, log: {level: 'error'}, [kind]: section}));
	let child: ChildProcess | undefined;
	const kill = async (): Promise<void> => {
		if (child !== undefined && child.exitCode === null && child.signalCode === null) {
			const exited = once(child, 'exit');
			child.kill('SIGKILL');
			await exited;
		}
		child = undefined;
	};
	t.teardown(kill);
	return {
		kill,
		start: async () => {
			await kill();
			const started = spawn(process.execPath, [join(root, kind, 'main.ts'), '--config', file], {
				cwd: root,
				stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
			});
			child = started;
			const ready = Promise.withResolvers<Readonly<Record<string, string>>>();
			started.on('message', (message) => {
				const parsed = roleMessageSchema.safeParse(message);
				if (parsed.data?.kind === 'ready') {
					ready.resolve(parsed.data.endpoints);
				}
			});
			started.on('exit', (code, signal) =>
				ready.reject(new Error(`${kind} ended before it was ready: ${code ?? signal}`)),
			);
			return await ready.promise;
		},
	};
};
