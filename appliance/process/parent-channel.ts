import {Socket} from 'node:net';
import {
	heartbeatIntervalMs,
	type RoleMessage,
	type SupervisorMessage,
	supervisorMessageSchema,
} from '#appliance/contract/role-message-schema.ts';
import {openJsonLines} from '#appliance/process/json-lines.ts';
import {sleep} from '#appliance/time/sleep.ts';

export type ParentChannel = {
	/** Without a parent that listens, nothing happens. A lost message is no error: the parent is going. */
	readonly tell: (message: RoleMessage) => void;
	readonly onOrder: (listener: (message: Extract<SupervisorMessage, {kind: 'order'}>) => void) => void;
};

type Transport = {
	readonly isOpen: () => boolean;
	readonly send: (message: RoleMessage) => void;
};

/** The first that systemd passes (sd_listen_fds(3)). */
const firstPassedDescriptor = 3;

/**
 * The channel to whoever supervises this process: a heartbeat until the signal aborts, and an order to stop when the parent
 * asks for it or is gone, because a process without its supervisor would hold the ports and files of the next one. A child
 * has Node's IPC; a unit of its own has the connection by which systemd was asked to start it.
 */
export const openParentChannel = (options: {
	readonly signal: AbortSignal;
	readonly onStop: (reason: string) => void;
}): ParentChannel => {
	const listeners = new Set<Parameters<ParentChannel['onOrder']>[0]>();
	const open = passedSocket() === undefined ? openIpc : openSocket;
	const transport = open({
		onLost: () => options.onStop('loss of the supervisor'),
		onMessage: (message) => {
			const {data} = supervisorMessageSchema.safeParse(message);
			if (data?.kind === 'stop') {
				options.onStop('order of the supervisor');
			} else if (data !== undefined) {
				for (const listener of listeners) {
					listener(data);
				}
			}
		},
	});
	transport.send({kind: 'begun', pid: process.pid});
	void beat(transport, options.signal);
	return {tell: transport.send, onOrder: (listener) => void listeners.add(listener)};
};

type TransportListener = {readonly onMessage: (message: unknown) => void; readonly onLost: () => void};

const openIpc = ({onMessage, onLost}: TransportListener): Transport => {
	process.once('disconnect', onLost);
	process.on('message', onMessage);
	return {
		isOpen: () => process.connected,
		send: (message) => {
			if (process.connected) {
				process.send?.(message, undefined, undefined, () => undefined);
			}
		},
	};
};

/** Undefined when nothing was passed to this very process. */
const passedSocket = (): number | undefined => {
	const {LISTEN_FDS, LISTEN_PID} = process.env;
	return LISTEN_FDS === '1' && LISTEN_PID === `${process.pid}` ? firstPassedDescriptor : undefined;
};

const openSocket = ({onMessage, onLost}: TransportListener): Transport => {
	const socket = new Socket({fd: firstPassedDescriptor, readable: true, writable: true});
	const lines = openJsonLines(socket, {onValue: onMessage, onClose: onLost});
	return {isOpen: () => socket.writable, send: lines.send};
};

/** Beats even while the process starts, so that a long start (a cache that is verified) is not taken for a dead loop. */
const beat = async (transport: Transport, signal: AbortSignal): Promise<void> => {
	while (!signal.aborted && transport.isOpen()) {
		transport.send({kind: 'heartbeat'});
		await sleep(heartbeatIntervalMs);
	}
};
