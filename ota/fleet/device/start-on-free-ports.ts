import {readdir, readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {portFilePrefix} from '#ota/fleet/device/keep-port.ts';

export const startAttemptsMax = 5;

/**
 * Starts, and starts anew on other ports while a stranger takes one between its choice and its use. Only ports that this
 * start has chosen are given up: of those that were kept before, boxes were told.
 */
export const startOnFreePorts = async <Started>(
	start: () => Promise<Started>,
	{stateDirectory, logger}: {readonly stateDirectory: string; readonly logger: Logger},
): Promise<Started> => {
	for (let attempt = 1; ; attempt += 1) {
		const before = new Set(await portFiles(stateDirectory));
		try {
			return await start();
		} catch (error) {
			const chosen = (await portFiles(stateDirectory)).filter((name) => !before.has(name));
			const ports = await Promise.all(chosen.map((name) => readFile(join(stateDirectory, name), 'utf8')));
			if (attempt >= startAttemptsMax || !isTaken(error, ports.map(Number))) {
				throw error;
			}
			await Promise.all(chosen.map((name) => rm(join(stateDirectory, name), {force: true})));
			logger.warn({err: error, attempt}, 'a port that was free is taken; starting on others');
		}
	}
};

/** By our own listeners, which name their port; by mosquitto, which names none of its two. */
const isTaken = (error: unknown, ports: readonly number[]): boolean => {
	if (!(error instanceof CodedError) || ports.length === 0) {
		return false;
	}
	const {port, outputTail} = error.details;
	return error.code === 'APPLIANCE_LISTEN_FAILED'
		? hasCode(error.cause, 'EADDRINUSE') && ports.includes(Number(port))
		: error.code === 'OTA_BROKER_NOT_READY' && /Address already in use/u.test(String(outputTail));
};

const portFiles = async (stateDirectory: string): Promise<readonly string[]> =>
	(await readdir(stateDirectory).catch(() => [])).filter((name) => name.startsWith(portFilePrefix));
