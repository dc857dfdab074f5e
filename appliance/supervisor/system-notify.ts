import {errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {sendNotify} from '#native/notify/notify.ts';

export type SystemNotify = {
	/** Sends assignments such as `{READY: '1'}`; without a NOTIFY_SOCKET nothing happens. */
	readonly tell: (states: Readonly<Record<string, string>>) => void;
	/** Feeds the watchdog at half its time for as long as `isAlive` says so. */
	readonly feedWatchdog: (options: {readonly isAlive: () => boolean; readonly signal: AbortSignal}) => Promise<void>;
};

/** Kept short, because systemd shows it on one line. */
const statusCharactersMax = 200;

/** sd_notify(3) as the environment asks for it. A systemd that does not answer is never a reason to stop. */
export const createSystemNotify = (options: {
	readonly environment: Readonly<Record<string, string | undefined>>;
	readonly pid: number;
	readonly logger: Logger;
}): SystemNotify => {
	const {environment, pid, logger} = options;
	const socketPath = environment['NOTIFY_SOCKET'];

	const tell = (states: Readonly<Record<string, string>>): void => {
		if (socketPath === undefined || socketPath === '') {
			return;
		}
		const lines = Object.entries(states).map(
			([name, value]) => `${name}=${value.replaceAll('\n', ' ').slice(0, statusCharactersMax)}`,
		);
		try {
			sendNotify(socketPath, lines.join('\n'));
		} catch (error) {
			logger.warn({reason: errorMessage(error)}, 'systemd was not told');
		}
	};

	return {
		tell,
		feedWatchdog: async ({isAlive, signal}) => {
			const intervalMs = watchdogIntervalMs(environment, pid);
			let starving = false;
			while (intervalMs !== undefined && !signal.aborted) {
				const alive = isAlive();
				if (alive) {
					tell({WATCHDOG: '1'});
				} else if (!starving) {
					logger.error('the watchdog is no longer fed: a service that must run has been down for too long');
				}
				starving = !alive;
				await sleep(intervalMs, {signal}).catch(() => undefined);
			}
		},
	};
};

/** Half of WATCHDOG_USEC, as sd_watchdog_enabled(3) advises; undefined when it is off or meant for another process. */
export const watchdogIntervalMs = (
	environment: Readonly<Record<string, string | undefined>>,
	pid: number,
): number | undefined => {
	const watchdogUs = Number(environment['WATCHDOG_USEC'] ?? '');
	const watchdogPid = environment['WATCHDOG_PID'] ?? '';
	if (!Number.isFinite(watchdogUs) || watchdogUs <= 0 || (watchdogPid !== '' && Number(watchdogPid) !== pid)) {
		return undefined;
	}
	return Math.max(1, Math.floor(watchdogUs / 2000));
};
