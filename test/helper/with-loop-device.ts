import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import type {ExecutionContext} from 'ava';

const run = promisify(execFile);

/** A real block device over a file; undefined, said in the test's log, where this user may not make one. */
export const withLoopDevice = async (
	t: ExecutionContext,
	backingPath: string,
	{sectorBytes = 512} = {},
): Promise<string | undefined> => {
	let devicePath: string;
	try {
		const {stdout} = await run('losetup', ['--find', '--show', '--sector-size', String(sectorBytes), backingPath]);
		devicePath = stdout.trim();
	} catch {
		t.log('SKIPPED: this user may not make a loop device');
		t.pass();
		return undefined;
	}
	t.teardown(async () => {
		await run('losetup', ['--detach', devicePath]);
	});
	return devicePath;
};
