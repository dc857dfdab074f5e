import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';

/** A daemon that was told to end may still write its last file when its directory goes. */
const removal = {recursive: true, force: true, maxRetries: 20, retryDelay: 100} as const;

/** Whoever has things that end with it: a test, or a benchmark with a stack of its own. */
export type TestOwner = Pick<ExecutionContext, 'teardown'>;

/** A fresh directory that goes with the test. */
export const withDirectory = async (t: TestOwner): Promise<string> => {
	const directory = await mkdtemp(join(tmpdir(), 'streamverse-'));
	t.teardown(async () => {
		await rm(directory, removal);
	});
	return directory;
};
