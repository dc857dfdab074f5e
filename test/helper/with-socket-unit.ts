import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createServer, type Socket} from 'node:net';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {isProcessAlive} from '#test/helper/is-process-alive.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

export type SocketUnit = {
	readonly socketPath: string;
	/** Of the connections so far, the oldest first. */
	readonly processes: readonly ChildProcess[];
};

/**
 * What systemd does for a socket with Accept=yes: starts a command for each connection, with the connection as its standard
 * input and output or as its descriptor 3, and lets go of its own end when the command is over.
 */
export const withSocketUnit = async (
	t: ExecutionContext,
	options: {
		readonly command: readonly string[];
		readonly passAs: 'standard' | 'descriptor';
		/** More are let in and shown out at once, as by MaxConnections=. */
		readonly connectionsMax?: number;
		/** ExecStopPost= */
		readonly onEnded?: (instance: number, how: {readonly code: number | null; readonly signal: string | null}) => void;
	},
): Promise<SocketUnit> => {
	const socketPath = join(await withDirectory(t), 'unit.socket');
	const processes: ChildProcess[] = [];
	const start = async (socket: Socket): Promise<void> => {
		const running = processes.filter(({exitCode, signalCode}) => exitCode === null && signalCode === null).length;
		if (running >= (options.connectionsMax ?? 2)) {
			socket.destroy();
			return;
		}
		const child = spawn('/bin/sh', ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', ...options.command], {
			stdio: options.passAs === 'standard' ? [socket, socket, 'inherit'] : ['ignore', 'ignore', 'inherit', socket],
			env: {...process.env, ...(options.passAs === 'standard' ? {} : {LISTEN_FDS: '1'})},
		});
		processes.push(child);
		const instance = processes.length;
		const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
		options.onEnded?.(instance, {code, signal});
		socket.destroy();
	};
	const server = createServer({pauseOnConnect: true}, (socket) => {
		socket.on('error', () => undefined);
		void start(socket);
	});
	server.listen(socketPath);
	await once(server, 'listening');
	t.teardown(async () => {
		server.close();
		for (const child of processes.filter(({pid}) => pid !== undefined && isProcessAlive(pid))) {
			child.kill('SIGKILL');
			await once(child, 'exit').catch(() => undefined);
		}
	});
	return {socketPath, processes};
};
