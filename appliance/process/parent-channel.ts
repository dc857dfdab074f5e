import {
	heartbeatIntervalMs,
	type RoleMessage,
	type SupervisorMessage,
	supervisorMessageSchema,
} from '#appliance/contract/role-message-schema.ts';
import {sleep} from '#appliance/time/sleep.ts';

export type ParentChannel = {
	/** Without a parent that listens, nothing happens. A lost message is no error: the parent is going. */
	readonly tell: (message: RoleMessage) => void;
	readonly onOrder: (listener: (message: SupervisorMessage) => void) => void;
};

/**
 * The IPC channel to whoever supervises this process: a heartbeat until the signal aborts, and an order to stop when the
 * parent is gone, because a process without its supervisor would hold the ports and files of the next one.
 */
export const openParentChannel = (options: {
	readonly signal: AbortSignal;
	readonly onLost: () => void;
}): ParentChannel => {
	process.once('disconnect', options.onLost);
	void beat(options.signal);
	return {
		tell,
		onOrder: (listener) => {
			process.on('message', (message) => {
				const parsed = supervisorMessageSchema.safeParse(message);
				if (parsed.success) {
					listener(parsed.data);
				}
			});
		},
	};
};

const tell = (message: RoleMessage): void => {
	if (process.connected) {
		process.send?.(message, undefined, undefined, () => undefined);
	}
};

/** Beats even while the process starts, so that a long start (a cache that is verified) is not taken for a dead loop. */
const beat = async (signal: AbortSignal): Promise<void> => {
	while (!signal.aborted && process.connected) {
		tell({kind: 'heartbeat'});
		await sleep(heartbeatIntervalMs);
	}
};
