import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {withDirectory} from '#test/helper/with-directory.ts';

const run = promisify(execFile);
const victim = fileURLToPath(new URL('limited-writer.ts', import.meta.url));

test('a write that the system refuses leaves a coded error, and a cache that goes on', async (t) => {
	const directory = await withDirectory(t);
	// RLIMIT_FSIZE needs no rights: the kernel fails every write beyond it with EFBIG, in the cache's own index too.
	const {stdout} = await run('prlimit', ['--fsize=700000', process.execPath, victim, directory]);
	const {refused, committed, readable} = JSON.parse(stdout) as {
		readonly refused: readonly string[];
		readonly committed: number;
		readonly readable: boolean;
	};
	t.deepEqual([...new Set(refused)], ['STB_CACHE_FULL']);
	t.true(committed > 0);
	t.true(readable);
});
