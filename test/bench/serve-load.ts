import {execFile} from 'node:child_process';
import {readdir, readFile} from 'node:fs/promises';
import {promisify} from 'node:util';

export type Load = {readonly requestsPerSecond: number; readonly gbpsPerCore: number};

/**
 * Seconds of processor that a process and its descendants have used, from the scheduler's nanoseconds (proc(5), schedstat):
 * the ticks of /proc/<pid>/stat are too coarse for a server that needs a few hundredths of a second.
 */
const cpuSeconds = async (pid: number): Promise<number> => {
	const parents = new Map<number, number>();
	for (const name of await readdir('/proc')) {
		if (/^\d+$/u.test(name)) {
			const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined);
			parents.set(Number(name), Number(text?.slice(text.lastIndexOf(')') + 2).split(' ')[1]));
		}
	}
	const sum = async (root: number): Promise<number> => {
		let nanoseconds = await ownNanoseconds(root);
		for (const [child, parent] of parents) {
			nanoseconds += parent === root ? await sum(child) : 0;
		}
		return nanoseconds;
	};
	return (await sum(pid)) / 1e9;
};

const ownNanoseconds = async (pid: number): Promise<number> => {
	let nanoseconds = 0;
	for (const task of await readdir(`/proc/${pid}/task`).catch(() => [])) {
		const text = await readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8').catch(() => '0');
		nanoseconds += Number(text.split(' ')[0]);
	}
	return nanoseconds;
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
