import {readFileSync} from 'node:fs';

/** Whether a process runs; one that has ended and waits to be reaped does not. */
export const isProcessAlive = (pid: number): boolean => {
	try {
		return !/\) Z /u.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
	} catch {
		return false;
	}
};
