import type {ServiceStatus, SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {reverted, type TryRole} from '#ota/member/overlay-keeper.ts';

const pollMs = 100;
/** A role that fails so often after its restart will not mend itself. */
const failuresMax = 3;

export type TryRoleOptions = {
	readonly status: () => SupervisorStatus;
	/** Whether the role took it up as it runs; then nothing is restarted. */
	readonly reconfigure: () => Promise<boolean>;
	readonly restart: (why: string) => void;
	readonly startTimeoutMs: number;
	/** It must run so long without a failure before what it was started with counts as good. */
	readonly steadyMs: number;
	readonly signal: AbortSignal;
};

/** Asks the role to take it up, or restarts it and waits until it runs steadily or plainly will not. */
export const createTryRole =
	(options: TryRoleOptions): TryRole =>
	async (why) => {
		const {status, restart, startTimeoutMs, steadyMs, signal} = options;
		const role = (): ServiceStatus | undefined => {
			const {services, box} = status();
			return services.find(({name}) => name === box.kind);
		};
		if (await options.reconfigure()) {
			return;
		}
		const pid = role()?.pid;
		const restartsBefore = role()?.restarts ?? 0;
		restart(why);
		const deadlineMs = performance.now() + startTimeoutMs + steadyMs;
		let steadySinceMs: number | undefined;
		while (performance.now() < deadlineMs) {
			await sleep(pollMs, {signal});
			const now = role();
			if (now === undefined) {
				return;
			}
			const failure = now.lastFailure?.text ?? 'it ended';
			if (now.crashLoop || now.restarts - restartsBefore > failuresMax) {
				throw reverted(failure);
			}
			const runs = now.state === 'running' && now.pid !== pid;
			steadySinceMs = runs ? (steadySinceMs ?? performance.now()) : undefined;
			if (steadySinceMs !== undefined && performance.now() - steadySinceMs >= steadyMs) {
				return;
			}
		}
		throw reverted(`it was not ready after ${startTimeoutMs} ms`);
	};
