import {constants} from 'node:fs';
import {chmod, open, readFile, writeFile} from 'node:fs/promises';
import {connect, type Socket} from 'node:net';
import {parse, stringify} from 'yaml';
import {type RoleMessage, roleMessageSchema} from '#appliance/contract/role-message-schema.ts';
import {runTool} from '#appliance/diagnostics/run-tool.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {type JsonLines, openJsonLines} from '#appliance/process/json-lines.ts';
import type {Child, ChildListener} from '#appliance/supervisor/child-process.ts';
import type {ServiceUnit} from '#appliance/supervisor/service-description.ts';

const killTimeoutMs = 10_000;

/**
 * Starts a service that is a unit of its own, with a user, a sandbox and a limit of memory that are not ours: systemd starts
 * it for whoever connects to its socket (Accept=yes), and that connection is the channel to it. The connection closes when
 * the unit is over and not before, since systemd holds its end too, so that the next one never meets the one before.
 */
export const spawnUnit = (
	unit: ServiceUnit,
	{listener, logger}: {readonly listener: ChildListener; readonly logger: Logger},
): Child => {
	let pid: number | undefined;
	let lines: JsonLines | undefined;
	let socket: Socket | undefined;
	let stopped = false;
	const onValue = (value: unknown): void => {
		const {data} = roleMessageSchema.safeParse(value);
		if (data === undefined) {
			logger.warn('the unit sent a message that is none');
			return;
		}
		pid = pidOf(data) ?? pid;
		listener.onMessage(data);
	};
	const kill = (): void => void killUnits(unit, logger);
	const run = async (): Promise<void> => {
		await handOver(unit);
		const before = await readEnd(unit);
		socket = connect(unit.socketPath);
		const {promise: closed, resolve} = Promise.withResolvers<void>();
		let failure: Error | undefined;
		socket.once('error', (error) => {
			failure = error;
		});
		lines = openJsonLines(socket, {onValue, onClose: resolve});
		if (stopped) {
			lines.send({kind: 'stop'});
		}
		await closed;
		if (failure !== undefined && pid === undefined) {
			throw failure;
		}
		const after = await readEnd(unit);
		const isTold = after !== undefined && after !== before;
		if (pid === undefined && !isTold) {
			// What a supervisor before this one left behind holds the only connection that the socket allows.
			kill();
		}
		listener.onEnded({text: isTold ? textOf(after) : 'did not begin, or did not say how it ended', spawned: true});
	};
	run().catch((error: unknown) => listener.onEnded({text: errorMessage(error), spawned: false}));
	return {
		get pid() {
			return pid;
		},
		signal: (name) => {
			stopped = true;
			if (name === 'SIGKILL') {
				kill();
			} else {
				lines?.send({kind: 'stop'});
			}
		},
		tell: (message) => lines?.send(message) ?? false,
	};
};

const pidOf = (message: RoleMessage): number | undefined => (message.kind === 'begun' ? message.pid : undefined);

/** The box's file as the unit is to have it: its own state directory, and nothing of the fleet, which is not its business. */
const handOver = async (unit: ServiceUnit): Promise<void> => {
	const text = await readFile(unit.sourcePath(), 'utf8');
	await writeFile(unit.filePath, withOwnState(text, unit.stateDirectory), {mode: 0o640});
	// Whatever our umask is: the unit is another user, in the group of the directory.
	await chmod(unit.filePath, 0o640);
};

const withOwnState = (text: string, stateDirectory: string): string => {
	let file: unknown;
	try {
		file = parse(text);
	} catch {
		// The unit itself says what is wrong with it, and where.
		return text;
	}
	if (!(isRecord(file) && isRecord(file['box']))) {
		return text;
	}
	const {fleet: _, ...rest} = file;
	return stringify({...rest, box: {...file['box'], stateDirectory}});
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

const endBytesMax = 256;
const endPattern = /^[\w-]+ [a-z-]+ [a-z]+ \w+$/u;

/**
 * What the unit's ExecStopPost= wrote last: its instance, and systemd's SERVICE_RESULT, EXIT_CODE and EXIT_STATUS. The unit
 * may have put anything there: a link to what only we may read, or a pipe that nobody writes to.
 */
const readEnd = async ({endPath}: ServiceUnit): Promise<string | undefined> => {
	try {
		await using file = await open(endPath, constants.O_RDONLY + constants.O_NOFOLLOW + constants.O_NONBLOCK);
		const {buffer, bytesRead} = await file.read(Buffer.alloc(endBytesMax), 0, endBytesMax, 0);
		const text = buffer.toString('utf8', 0, bytesRead).trim();
		return endPattern.test(text) ? text : undefined;
	} catch {
		return undefined;
	}
};

const textOf = (end: string): string => {
	const [, result = '', code = '', status = ''] = end.split(' ');
	const how = code === 'exited' ? `exited with code ${status}` : `ended by SIG${status}`;
	return ['success', 'exit-code', 'signal'].includes(result) ? how : `${how} (${result})`;
};

const killUnits = async ({unitPattern, systemctl = 'systemctl'}: ServiceUnit, logger: Logger): Promise<void> => {
	try {
		const args = ['kill', '--signal=SIGKILL', unitPattern];
		const {exitCode, errorText} = await runTool(systemctl, {
			...{args, bytesMax: 1024, signal: AbortSignal.timeout(killTimeoutMs)},
		});
		if (exitCode !== 0) {
			logger.error({reason: errorText.trim()}, 'systemd does not kill the unit');
		}
	} catch (error) {
		logger.error({err: error}, 'systemd cannot be asked to kill the unit');
	}
};
