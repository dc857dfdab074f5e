import {loadAddon} from '../load-addon.ts';

type NotifyAddon = {readonly send: (socketPath: string, state: string) => void};

const addon = loadAddon('notify') as NotifyAddon;

/**
 * Sends one sd_notify(3) state, for example `READY=1` or `WATCHDOG=1\nSTATUS=4 services run`.
 * Throws with code NATIVE_NOTIFY_FAILED when nobody listens at `socketPath`.
 */
export const sendNotify = (socketPath: string, state: string): void => addon.send(socketPath, state);
