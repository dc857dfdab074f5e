import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import type {Readable} from 'node:stream';
import {type RoleMessage, roleMessageSchema, type SupervisorMessage} from '#appliance/contract/role-message-schema.ts';
import {errorMessage, hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {ChildOutput} from '#appliance/supervisor/child-output.ts';
import type {ServiceDescription} from '#appliance/supervisor/service-description.ts';

/** util-linux, essential on Debian: sets PR_SET_PDEATHSIG and becomes the command. */
const setprivPath = '/usr/bin/setpriv';

export type Child = {
	/** Undefined when it could not be spawned; `onEnded` follows. */
	readonly pid: number | undefined;
	/** To the child's whole process group, so that what it started ends with it. */
	readonly signal: (name: NodeJS.Signals) => void;
	/** False when it has no channel, or is going. */
	readonly tell: (message: SupervisorMessage) => boolean;
};

export type ChildListener = {
	readonly onMessage: (message: RoleMessage) => void;
	/** Exactly once. */
	readonly onEnded: (how: {readonly text: string; readonly spawned: boolean}) => void;
};

/** Spawns a service's process as the leader of a process group that cannot outlive us. */
export const spawnChild = (
	description: ServiceDescription,
	{listener, output, logger}: {readonly listener: ChildListener; readonly output: ChildOutput; readonly logger: Logger},
): Child => {
	const pipe = description.output === 'inherit' ? 'inherit' : 'pipe';
	const {command, args} = withOrphanSignal(description);
	const child = spawn(command, args, {
		cwd: description.workingDirectory,
		env: {...process.env, NOTIFY_SOCKET: undefined, WATCHDOG_USEC: undefined, ...description.environment},
		stdio: ['ignore', pipe, pipe, ...(description.readiness.kind === 'message' ? (['ipc'] as const) : [])],
		detached: true,
	});
	for (const name of ['stdout', 'stderr'] as const) {
		const stream = child[name];
		if (stream !== null && description.output === 'relay') {
			relay(stream, {to: process[name], onOutput: description.onOutput});
		} else if (stream !== null) {
			output.read(stream, name);
		}
	}
	child.on('message', (message) => {
		const parsed = roleMessageSchema.safeParse(message);
		if (parsed.success) {
			listener.onMessage(parsed.data);
		} else {
			logger.warn({service: description.name}, 'child sent a message that is none');
		}
	});
	reportEnd(child, listener);
	return {
		pid: child.pid,
		signal: (name) => signalGroup(child.pid, name),
		tell: (message) => child.connected && child.send(message, undefined, undefined, () => undefined),
	};
};

const relay = (
	from: Readable,
	{to, onOutput}: {readonly to: NodeJS.WriteStream; readonly onOutput: ServiceDescription['onOutput']},
): void => {
	from.setEncoding('utf8');
	from.on('data', (text: string) => {
		to.write(text);
		onOutput?.(text);
	});
	// A pipe that breaks says nothing that the child's end does not say.
	from.on('error', () => undefined);
};

const withOrphanSignal = ({command, args: given = [], orphanSignal = 'SIGTERM'}: ServiceDescription) => {
	const args = typeof given === 'function' ? given() : given;
	return existsSync(setprivPath)
		? {command: setprivPath, args: ['--pdeathsig', orphanSignal.slice('SIG'.length), '--', command, ...args]}
		: {command, args};
};

const reportEnd = (child: ChildProcess, listener: ChildListener): void => {
	let ended = false;
	const end = (text: string, spawned: boolean): void => {
		if (!ended) {
			ended = true;
			// What it started and left behind would hold the ports of the next one.
			signalGroup(child.pid, 'SIGKILL');
			listener.onEnded({text, spawned});
		}
	};
	child.on('error', (error) => {
		// Also emitted when a signal cannot be sent; only a child without a pid was never there.
		if (child.pid === undefined) {
			end(errorMessage(error), false);
		}
	});
	child.on('exit', (code, signal) => end(signal === null ? `exited with code ${code}` : `ended by ${signal}`, true));
};

const signalGroup = (pid: number | undefined, name: NodeJS.Signals): void => {
	if (pid === undefined) {
		return;
	}
	try {
		process.kill(-pid, name);
	} catch (error) {
		// EPERM: the group's number has gone to somebody else's processes.
		if (!hasCode(error, 'ESRCH', 'EPERM')) {
			throw error;
		}
	}
};
