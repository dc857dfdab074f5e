import {closeSync, constants, openSync} from 'node:fs';
import {createRequire} from 'node:module';
import {ReadStream} from 'node:tty';
import {askElevation} from '#appliance/diagnostics/elevate/ask-elevation.ts';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {toolText} from '#appliance/diagnostics/run-tool.ts';
import type {StreamListener, StreamSource} from '#appliance/diagnostics/stream/stream-source.ts';
import type {SystemHelpers} from '#appliance/diagnostics/system-helpers.ts';
import {CodedError, errorCode, errorMessage} from '#appliance/error/coded-error.ts';

/** A unit starts in moments; asking the fleet's order to be verified loads a program first. */
const startTimeoutMs = 60_000;
const stopTimeoutMs = 10_000;
const outputMax = 4096;

export type TerminalUnitOptions = {
	readonly columns: number;
	readonly rows: number;
	readonly elevated: boolean;
	/** The fleet's order for this very terminal, and the rotations up to the key that it is signed with. */
	readonly order: string | undefined;
	readonly keyChain: () => readonly string[];
	readonly helpers: SystemHelpers;
	readonly listener: StreamListener;
};

/** openpty(3) and TIOCSWINSZ of node-pty's binding. Its own `open` reads what is typed from the shell's side. */
type PtyBinding = {
	readonly open: (
		columns: number,
		rows: number,
	) => {readonly master: number; readonly slave: number; readonly pty: string};
	readonly resize: (master: number, columns: number, rows: number) => void;
};
const {requireBinary} = createRequire(import.meta.url)('@lydell/node-pty/requireBinary.js') as {
	requireBinary: (name: string) => PtyBinding;
};

type Pty = {
	readonly master: ReadStream;
	readonly resize: (size: {readonly columns: number; readonly rows: number}) => void;
	/** Held until the shell holds it: a terminal whose other side nobody has open has ended. */
	readonly shellSide: Disposable;
	/** Of /dev/pts. */
	readonly number: number;
};

const openPty = ({columns, rows}: {readonly columns: number; readonly rows: number}): Pty => {
	const binding = requireBinary('pty.node');
	const {master: descriptor, slave, pty} = binding.open(columns, rows);
	// Anew, because what node-pty opened would be inherited by whatever is spawned meanwhile.
	const shellSide = openSync(pty, constants.O_RDWR + constants.O_NOCTTY);
	closeSync(slave);
	const master = new ReadStream(descriptor);
	master.setEncoding('utf8');
	return {
		master,
		resize: (size) => binding.resize(descriptor, size.columns, size.rows),
		shellSide: {[Symbol.dispose]: () => closeSync(shellSide)},
		number: Number(pty.slice('/dev/pts/'.length)),
	};
};

/**
 * A shell that systemd starts at the other end of a pseudo-terminal of ours, as another user: what it may do is the unit's
 * to say, and this process needs no right over users. The shell hangs up when this process or the terminal goes.
 */
export const openTerminalUnit = (options: TerminalUnitOptions): StreamSource => {
	const {columns, rows, helpers, elevated, listener} = options;
	const {master, resize, shellSide, number} = openPty({columns, rows});
	const unit = helpers.shellUnit(number, {elevated});
	const stop = new AbortController();
	let ended = false;
	const end = (code: string, message: string): void => {
		if (!ended) {
			ended = true;
			listener.onEnd({code, message});
		}
	};
	master.on('data', (text: string) => listener.onText(text));
	// The last of the shell's side was closed: EIO (pty(7)).
	master.on('error', () => master.destroy());
	master.on('close', () => end('DIAGNOSTICS_SHELL_ENDED', 'The shell ended.'));
	const started = startShell(options, {terminal: number, unit, signal: stop.signal})
		.catch((error: unknown) => {
			if (!stop.signal.aborted) {
				end((errorCode(error) ?? 'DIAGNOSTICS_NOT_PERMITTED').slice(0, 64), errorMessage(error).slice(0, 1024));
			}
		})
		.finally(() => shellSide[Symbol.dispose]());
	return {
		write: (text) => !ended && master.writable && master.write(text),
		resize: (size) => !ended && resize(size),
		pause: () => master.pause(),
		resume: () => master.resume(),
		[Symbol.asyncDispose]: async () => {
			ended = true;
			stop.abort();
			await started;
			master.destroy();
			// Of a shell that has ended there is nothing to stop; one that ignores the hang-up is stopped with all it started.
			await systemctl(helpers, ['stop', unit], AbortSignal.timeout(stopTimeoutMs)).catch(() => undefined);
		},
	};
};

const startShell = async (
	{elevated, order, keyChain, helpers}: TerminalUnitOptions,
	{terminal, unit, signal}: {readonly terminal: number; readonly unit: string; readonly signal: AbortSignal},
): Promise<void> => {
	const limit = AbortSignal.any([signal, AbortSignal.timeout(startTimeoutMs)]);
	if (!elevated) {
		await systemctl(helpers, ['start', unit], limit);
		return;
	}
	if (order === undefined) {
		throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_NOT_PERMITTED', {
			message: 'The order for this terminal was lost when the box’s supervisor started anew; ask for it again.',
			retryable: true,
		});
	}
	await askElevation({
		socketPath: helpers.elevateSocket,
		request: {order, keyChain: [...keyChain()], terminal},
		signal: limit,
	});
};

const systemctl = async (
	{systemctl: command = 'systemctl'}: SystemHelpers,
	args: readonly string[],
	signal: AbortSignal,
): Promise<void> => {
	await toolText(command, {args: ['--no-ask-password', ...args], bytesMax: outputMax, signal});
};
