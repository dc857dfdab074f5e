import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import type {ExecutionContext} from 'ava';
import {withDirectory} from '#test/helper/with-directory.ts';

const run = promisify(execFile);

export type SmallDisk = {
	readonly directory: string;
	/** False: nothing but the cache's own budget bounds it, because this user may not mount. */
	readonly mounted: boolean;
	/** What the cache on it may be told to hold: on a real small disk far more than there is. */
	readonly budgetBytes: number;
};

const boundlessBytes = 1_000_000_000;

/**
 * A directory with room for so many bytes: a file system of its own, or, where this user may not mount one, a budget. The
 * log of the test says which; what only a full disk can show must be left out then.
 */
export const withSmallDisk = async (t: ExecutionContext, bytes: number): Promise<SmallDisk> => {
	const directory = await withDirectory(t);
	try {
		await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory]);
	} catch {
		t.log('SKIPPED IN PART: this user may not mount a small disk, so that a budget stands in for it');
		return {directory, mounted: false, budgetBytes: bytes};
	}
	t.teardown(async () => {
		await run('umount', ['--lazy', directory]);
	});
	return {directory, mounted: true, budgetBytes: boundlessBytes};
};
