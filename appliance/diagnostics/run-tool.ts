import {type ChildProcess, spawn} from 'node:child_process';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';

const errorTextMax = 2000;

export type ToolRun = {
	/** What it printed on standard output, at most `bytesMax` of it. */
	readonly output: Buffer;
	/** There was more, and the tool was ended there. */
	readonly truncated: boolean;
	/** Null when a signal ended it. */
	readonly exitCode: number | null;
	readonly errorText: string;
};

export type ToolOptions = {
	readonly args?: readonly string[];
	readonly bytesMax: number;
	readonly signal: AbortSignal;
	/** Added to the few variables that a tool is given; what this process holds in its own stays with it. */
	readonly environment?: Readonly<Record<string, string>>;
};

/** Tools read neither our secrets nor a language that our parsers do not know. */
export const toolEnvironment: Readonly<Record<string, string>> = {
	PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
	LC_ALL: 'C.UTF-8',
	PAGER: 'cat',
	SYSTEMD_COLORS: '0',
};

/**
 * Runs a tool of the system and answers what it printed. It is never waited for longer than the signal allows: its
 * process group is killed, and a child that the kernel does not let go (a dead disk) is left behind.
 * @throws CodedError DIAGNOSTICS_NOT_HERE when there is no such tool; the signal's reason when it aborts.
 */
export const runTool = async (command: string, options: ToolOptions): Promise<ToolRun> => {
	const {signal, bytesMax} = options;
	signal.throwIfAborted();
	const child = spawn(command, options.args ?? [], {
		stdio: ['ignore', 'pipe', 'pipe'],
		env: {...toolEnvironment, ...options.environment},
		cwd: '/',
		detached: true,
	});
	const {promise, resolve, reject} = Promise.withResolvers<number | null>();
	const abort = (): void => reject(signal.reason);
	signal.addEventListener('abort', abort, {once: true});
	const chunks: Buffer[] = [];
	let outputBytes = 0;
	let truncated = false;
	child.stdout.on('data', (chunk: Buffer) => {
		const kept = chunk.subarray(0, bytesMax - outputBytes);
		outputBytes += kept.length;
		chunks.push(kept);
		if (kept.length < chunk.length) {
			truncated = true;
			killGroup(child);
		}
	});
	let errorText = '';
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		errorText = (errorText + text).slice(0, errorTextMax);
	});
	child.on('error', (error) => reject(notHere(command, error)));
	child.on('close', (code) => resolve(code));
	try {
		const exitCode = await promise;
		return {output: Buffer.concat(chunks), truncated, exitCode, errorText};
	} finally {
		signal.removeEventListener('abort', abort);
		killGroup(child);
		child.stdout.destroy();
		child.stderr.destroy();
		child.unref();
	}
};

/** Standard output as text, when the tool ended well. */
export const toolText = async (command: string, options: ToolOptions): Promise<string> => {
	const {output, exitCode, errorText, truncated} = await runTool(command, options);
	if (exitCode !== 0 && !truncated) {
		throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_COMMAND_FAILED', {
			message: `${command} failed: ${errorText.trim() || `it ended with ${exitCode ?? 'a signal'}`}`,
			details: {command, exitCode},
		});
	}
	return output.toString('utf8');
};

export const killGroup = (child: ChildProcess): void => {
	if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
		return;
	}
	try {
		process.kill(-child.pid, 'SIGKILL');
	} catch (error) {
		if (!hasCode(error, 'ESRCH', 'EPERM')) {
			throw error;
		}
	}
};

const notHere = (command: string, cause: Error): Error =>
	hasCode(cause, 'ENOENT', 'EACCES')
		? new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_NOT_HERE', {
				message: `This box has no ${command}.`,
				cause,
				details: {command},
			})
		: cause;
