import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';
import {isProcessAlive} from '#test/helper/is-process-alive.ts';

export type TestProcess = {
	readonly pid: number;
	readonly kill: (signal: NodeJS.Signals) => void;
	/** Everything it printed so far on both streams. */
	readonly output: () => string;
	readonly ended: Promise<{readonly code: number | null; readonly signal: NodeJS.Signals | null}>;
	readonly child: ChildProcess;
};

/** Runs one of the repository's TypeScript files in a Node process of its own, and kills what is left of it after the test. */
export const withProcess = (
	t: ExecutionContext,
	options: {
		/** Relative to the repository's root. */
		readonly script: string;
		readonly args?: readonly string[];
		readonly environment?: Readonly<Record<string, string>>;
		readonly ipc?: boolean;
	},
): TestProcess => {
	const script = fileURLToPath(new URL(`../../${options.script}`, import.meta.url));
	const child = spawn(process.execPath, [script, ...(options.args ?? [])], {
		env: {...process.env, ...options.environment},
		stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
	});
	let output = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream?.setEncoding('utf8').on('data', (text: string) => {
			output += text;
		});
	}
	const ended = endOf(child);
	const pid = child.pid ?? 0;
	t.teardown(async () => {
		if (isProcessAlive(pid)) {
			child.kill('SIGKILL');
			await ended;
		}
	});
	return {pid, child, kill: (signal) => child.kill(signal), output: () => output, ended};
};

/** Not `close`, which never comes once the IPC channel was disconnected. */
const endOf = async (child: ChildProcess): TestProcess['ended'] => {
	const [[code, signal]] = await Promise.all([
		once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
		...[child.stdout, child.stderr].map((stream) => stream && once(stream, 'end')),
	]);
	return {code, signal};
};
