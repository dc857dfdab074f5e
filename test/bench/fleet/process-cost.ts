import {readdirSync, readFileSync} from 'node:fs';

/** USER_HZ of Linux on every architecture that we ship. */
const ticksPerSecond = 100;

export type ProcessCost = {readonly rssBytes: number; readonly cpuSeconds: number};

/** Resident memory and processor time of a process, from proc(5). */
export const costOf = (pid: number): ProcessCost => {
	const status = readFileSync(`/proc/${pid}/status`, 'utf8');
	const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
	return {
		rssBytes: Number(/VmRSS:\s+(\d+) kB/u.exec(status)?.[1]) * 1024,
		// utime and stime, the 14th and 15th field; the first two end with the name.
		cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
	};
};

/** The one process of that name below another. */
export const descendantNamed = (ancestor: number, name: string): number => {
	for (const entry of readdirSync('/proc')) {
		const pid = Number(entry);
		if (Number.isInteger(pid) && nameOf(pid) === name && isBelow(pid, ancestor)) {
			return pid;
		}
	}
	throw new Error(`There is no ${name} below process ${ancestor}.`);
};

const nameOf = (pid: number): string => {
	try {
		return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
	} catch {
		return '';
	}
};

const isBelow = (pid: number, ancestor: number): boolean => {
	for (let current = pid; current > 1; ) {
		if (current === ancestor) {
			return true;
		}
		current = Number(readFileSync(`/proc/${current}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
	}
	return false;
};
