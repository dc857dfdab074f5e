import {execFile} from 'node:child_process';
import {readdir, readFile} from 'node:fs/promises';
import {promisify} from 'node:util';

/** USER_HZ of every Linux that we run on. */
const ticksPerSecond = 100;

export type Load = {readonly requestsPerSecond: number; readonly gbpsPerCore: number};

/** Seconds of processor that a process and its descendants have used. */
const cpuSeconds = async (pid: number): Promise<number> => {
	const stats = new Map<number, {parent: number; ticks: number}>();
	for (const name of await readdir('/proc')) {
		if (/^\d+$/u.test(name)) {
			const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined);
			const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
			stats.set(Number(name), {parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12])});
		}
	}
	const sum = (root: number): number => {
		let ticks = stats.get(root)?.ticks ?? 0;
		for (const [child, {parent}] of stats) {
			ticks += parent === root ? sum(child) : 0;
		}
		return ticks;
	};
	return sum(pid) / ticksPerSecond;
};

/** Debian's wrk against one URL over keep-alive connections, beside the processor time of the server. */
export const loadServer = async (options: {
	readonly url: string;
	readonly pid: number;
	readonly sizeBytes: number;
	readonly seconds: number;
	readonly connections: number;
	readonly signal: AbortSignal;
}): Promise<Load> => {
	const {url, pid, sizeBytes, seconds, connections, signal} = options;
	const before = await cpuSeconds(pid);
	const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '20s', url];
	const {stdout} = await promisify(execFile)('wrk', args, {signal});
	const used = (await cpuSeconds(pid)) - before;
	const requests = Number(/(\d+) requests in/u.exec(stdout)?.[1] ?? 0);
	if (requests === 0 || stdout.includes('Non-2xx')) {
		throw new Error(`The load was not served as it should be:\n${stdout}`);
	}
	return {
		requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/u.exec(stdout)?.[1] ?? 0),
		gbpsPerCore: (requests * sizeBytes * 8) / 1e9 / used,
	};
};
