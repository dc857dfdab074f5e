import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {mkdir, open, realpath, rm} from 'node:fs/promises';
import {createServer} from 'node:net';
import path from 'node:path';
import {CodedError, errorMessage, hasCode} from '#appliance/error/coded-error.ts';
import type {FleetErrorCode} from '#ota/fleet/fleet-error.ts';

/**
 * Makes the state directory and holds it while this process lives: a second server in it would write over the first
 * one's certificates and broker. Held by a socket in the kernel's abstract namespace (unix(7)), which leaves nothing behind.
 * @throws CodedError OTA_STATE_UNUSABLE or OTA_STATE_HELD
 */
export const holdStateDirectory = async (directory: string): Promise<Disposable> => {
	const filePath = path.join(directory, `.probe-${process.pid}`);
	try {
		await mkdir(directory, {recursive: true, mode: 0o700});
		await using file = await open(filePath, 'w', 0o600);
		await file.writeFile('probe');
	} catch (error) {
		throw new CodedError<FleetErrorCode>('OTA_STATE_UNUSABLE', {
			message: `The state directory ${directory} cannot be made or written (${errorMessage(error)}); name another with --state.`,
			cause: error,
		});
	} finally {
		await rm(filePath, {force: true}).catch(() => undefined);
	}
	const name = createHash('sha256')
		.update(await realpath(directory))
		.digest('hex');
	const server = createServer((socket) => socket.destroy());
	server.listen({path: `\0streamverse-fleet-${name}`});
	const failure: unknown = await once(server, 'listening').then(
		() => undefined,
		(error: unknown) => error,
	);
	if (hasCode(failure, 'EADDRINUSE')) {
		throw new CodedError<FleetErrorCode>('OTA_STATE_HELD', {
			message: `Another fleet server works in ${directory}: stop it, or name another directory with --state.`,
		});
	}
	if (failure !== undefined) {
		throw failure;
	}
	server.unref();
	return {[Symbol.dispose]: () => void server.close()};
};
