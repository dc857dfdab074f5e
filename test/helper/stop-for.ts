import {execFile} from 'node:child_process';
import {promisify} from 'node:util';

/** Stops this process with all of its threads, as a host does that gives it no time. */
export const stopFor = async (ms: number): Promise<void> => {
	await promisify(execFile)('sh', ['-c', `kill -STOP $PPID; sleep ${ms / 1000}; kill -CONT $PPID`]);
};
