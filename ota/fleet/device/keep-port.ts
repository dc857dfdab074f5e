import {once} from 'node:events';
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import type {AddressInfo} from 'node:net';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {hasCode} from '#appliance/error/coded-error.ts';

/** Files below the state directory, one for each listener whose port was chosen. */
export const portFilePrefix = 'port-';

/** The configured port, or for 0 a free one that is kept below the state directory: boxes were told it. */
export const keepPort = async (options: {
	readonly port: number;
	readonly host: string;
	readonly name: string;
	readonly stateDirectory: string;
}): Promise<number> => {
	const {port, host, name, stateDirectory} = options;
	if (port !== 0) {
		return port;
	}
	const path = join(stateDirectory, `${portFilePrefix}${name}`);
	const kept = Number(await readFile(path, 'utf8').catch(absent));
	if (Number.isInteger(kept) && kept > 0 && kept <= 65_535) {
		return kept;
	}
	const taken = await otherPorts(stateDirectory);
	let free = await freePort(host);
	while (taken.has(free)) {
		free = await freePort(host);
	}
	await mkdir(stateDirectory, {recursive: true});
	await writeFile(path, `${free}\n`, {flush: true});
	return free;
};

/** Ports of this server's other listeners, which may not listen yet: the system would give one of them again. */
const otherPorts = async (stateDirectory: string): Promise<ReadonlySet<number>> => {
	const names = await readdir(stateDirectory).catch(() => []);
	const files = names.filter((name) => name.startsWith(portFilePrefix));
	return new Set(
		await Promise.all(files.map(async (name) => Number(await readFile(join(stateDirectory, name), 'utf8')))),
	);
};

const absent = (error: unknown): string => {
	if (hasCode(error, 'ENOENT')) {
		return '';
	}
	throw error;
};

const freePort = async (host: string): Promise<number> => {
	const server = createServer().listen({host, port: 0});
	await once(server, 'listening');
	const {port} = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
};
