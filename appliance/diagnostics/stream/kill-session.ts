import {readdir, readFile} from 'node:fs/promises';
import {hasCode} from '#appliance/error/coded-error.ts';

/** Field of `/proc/<pid>/stat` (proc(5)), counted after the name in parentheses, which may hold spaces. */
const sessionField = 3;

/** Ends whatever still belongs to a session: jobs in the background that a hang-up does not reach. */
export const killSession = async (leaderPid: number): Promise<void> => {
	const pids = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name));
	for (const pid of pids) {
		const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		if (Number(fields[sessionField]) === leaderPid) {
			kill(Number(pid));
		}
	}
};

const kill = (pid: number): void => {
	try {
		process.kill(pid, 'SIGKILL');
	} catch (error) {
		if (!hasCode(error, 'ESRCH', 'EPERM')) {
			throw error;
		}
	}
};
