import {existsSync} from 'node:fs';
import {spawn} from '@lydell/node-pty';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {toolEnvironment} from '#appliance/diagnostics/run-tool.ts';
import {killSession} from '#appliance/diagnostics/stream/kill-session.ts';
import type {StreamListener, StreamSource} from '#appliance/diagnostics/stream/stream-source.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';

const setprivPath = '/usr/bin/setpriv';
const hangUpMs = 1000;

export type TerminalOptions = {
	readonly columns: number;
	readonly rows: number;
	/** As the superuser, where this process is one. */
	readonly elevated: boolean;
	/** Whom a shell that is not elevated runs as. */
	readonly user: string;
	readonly group: string;
	readonly shell: string;
	readonly listener: StreamListener;
};

/**
 * A shell on a pseudo-terminal of its own. Not elevated it is a user without groups, capabilities and any way to gain
 * them again (no_new_privs), so that neither sudo nor a set-user-id file makes it more. Its environment is made anew:
 * nothing of ours is inherited. It cannot outlive this process.
 * @throws CodedError DIAGNOSTICS_NOT_PERMITTED
 */
export const openTerminal = (options: TerminalOptions): StreamSource => {
	const {command, args} = commandOf(options);
	const terminal = spawn(command, args, {
		name: 'xterm-256color',
		cols: options.columns,
		rows: options.rows,
		cwd: '/',
		env: environmentOf(options),
	});
	let ended = false;
	terminal.onData((text) => options.listener.onText(text));
	terminal.onExit(({exitCode, signal}) => {
		ended = true;
		options.listener.onEnd({
			code: 'DIAGNOSTICS_SHELL_ENDED',
			message: signal ? `The shell was ended by signal ${signal}.` : `The shell ended with ${exitCode}.`,
		});
	});
	const kill = (signal: string): void => {
		try {
			// The shell leads a session; the kernel hangs up what it left in the foreground when the terminal goes.
			terminal.kill(signal);
		} catch (error) {
			if (!hasCode(error, 'ESRCH')) {
				throw error;
			}
		}
	};
	return {
		write: (text) => !ended && terminal.write(text),
		resize: ({columns, rows}) => !ended && terminal.resize(columns, rows),
		pause: () => terminal.pause(),
		resume: () => terminal.resume(),
		[Symbol.asyncDispose]: async () => {
			if (!ended) {
				terminal.resume();
				kill('SIGHUP');
				for (let waitedMs = 0; !ended && waitedMs < hangUpMs; waitedMs += 50) {
					await sleep(50);
				}
			}
			await killSession(terminal.pid);
		},
	};
};

const isSuperuser = (): boolean => process.getuid?.() === 0;

const commandOf = ({elevated, user, group, shell}: TerminalOptions): {command: string; args: string[]} => {
	const interactive = shell.endsWith('bash') ? ['--norc', '-i'] : ['-i'];
	if (elevated && !isSuperuser()) {
		throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_NOT_PERMITTED', {
			message: 'This box’s supervisor is not the superuser, so that nobody can be elevated by it.',
		});
	}
	if (!isSuperuser()) {
		return existsSync(setprivPath)
			? {command: setprivPath, args: ['--pdeathsig', 'KILL', '--no-new-privs', '--', shell, ...interactive]}
			: {command: shell, args: interactive};
	}
	if (!existsSync(setprivPath)) {
		throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_NOT_PERMITTED', {
			message: 'This box lacks setpriv (util-linux), without which no shell can be made harmless.',
		});
	}
	const unprivileged = [
		...['--reuid', user, '--regid', group, '--clear-groups'],
		...['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'],
	];
	return {
		command: setprivPath,
		args: ['--pdeathsig', 'KILL', ...(elevated ? [] : unprivileged), '--', shell, ...interactive],
	};
};

const environmentOf = ({elevated, user, shell}: TerminalOptions): Record<string, string> => ({
	PATH: toolEnvironment['PATH'] ?? '/usr/bin:/bin',
	TERM: 'xterm-256color',
	LANG: 'C.UTF-8',
	SHELL: shell,
	HOME: elevated ? '/root' : '/',
	USER: elevated ? 'root' : isSuperuser() ? user : (process.env['USER'] ?? user),
	// What is typed for a repair is in the recording, and nowhere on the box.
	HISTFILE: '',
	PS1: '\\u@\\h:\\w\\$ ',
});
