import {execFile} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';

const installRoot = '/usr/lib/postgresql';
/** `pg_ctl` refuses to run as root, as the server does. */
const script =
	'if [ "$(id -u)" = 0 ]; then exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else exec "$@"; fi';

/**
 * Stops the PostgreSQL of this test process, with every database in it, in the middle of what it does; answers how to
 * start it again. A test that does so has its process to itself.
 */
export const stopPostgres = async (databaseUrl: string): Promise<() => Promise<void>> => {
	const directory = new URL(databaseUrl).searchParams.get('host') ?? '';
	const [version = ''] = readdirSync(installRoot).sort((a, b) => Number(b) - Number(a));
	const control = async (...args: readonly string[]): Promise<void> => {
		const program = join(installRoot, version, 'bin', 'pg_ctl');
		await promisify(execFile)('sh', ['-c', script, 'sh', program, '-D', join(directory, 'data'), ...args], {
			cwd: directory,
		});
	};
	await control('-m', 'immediate', 'stop');
	// It finds the options that it was started with in the directory of its data.
	return () => control('-w', '-l', join(directory, 'data', 'log'), 'restart');
};
