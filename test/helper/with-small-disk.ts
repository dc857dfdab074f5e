import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import type {ExecutionContext} from 'ava';
import {withDirectory} from '#test/helper/with-directory.ts';

const run = promisify(execFile);

/** A file system of its own with so many bytes; undefined where this user may not mount one. */
export const withSmallDisk = async (t: ExecutionContext, bytes: number): Promise<string | undefined> => {
	const directory = await withDirectory(t);
	try {
		await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory]);
	} catch {
		return undefined;
	}
	t.teardown(async () => {
		await run('umount', ['--lazy', directory]);
	});
	return directory;
};
