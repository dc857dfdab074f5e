import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {chmodSync, mkdtempSync, readdirSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Client} from 'pg';
import {openFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';
import {eventually} from '#test/helper/eventually.ts';

const installRoot = '/usr/lib/postgresql';
const startTimeoutMs = 60_000;
const templateName = 'fleet_template';

/**
 * PostgreSQL refuses to run as root, so root starts it as `postgres`. The shell lives as long as its standard input: it
 * stops the server and clears up however this process ends. Nothing waits for the disk, which only a machine without power
 * would miss; a commit is nevertheless in the kernel's hands when it is answered, so that a test may kill the server.
 */
const script = `
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi; }
[ "$(id -u)" != 0 ] || chown postgres "$DIR"
cd "$DIR"
as "$BIN/initdb" -D "$DIR/data" -U fleet -A trust --no-sync --locale=C -E UTF8 >"$DIR/log" 2>&1
as "$BIN/postgres" -D "$DIR/data" -k "$DIR" -c listen_addresses= -c fsync=off \\
	-c full_page_writes=off -c max_connections=200 -c shared_buffers=64MB >>"$DIR/log" 2>&1 &
server=$!
cat >/dev/null
kill -QUIT "$(head -n 1 "$DIR/data/postmaster.pid")"; wait $server; cd /; rm -rf "$DIR"
`;

let started: Promise<string> | undefined;
let databaseCount = 0;

/** The newest PostgreSQL that Debian installed, as one server per test process. */
const startPostgres = async (): Promise<string> => {
	const directory = mkdtempSync(join(tmpdir(), 'sv-pg-'));
	chmodSync(directory, 0o755);
	const [version] = readdirSync(installRoot).sort((a, b) => Number(b) - Number(a));
	const child = spawn('sh', ['-c', script], {
		env: {...process.env, DIR: directory, BIN: join(installRoot, version ?? '', 'bin')},
		stdio: ['pipe', 'ignore', 'ignore'],
		detached: true,
	});
	await once(child, 'spawn');
	child.unref();
	const {stdin} = child;
	if ('unref' in stdin && typeof stdin.unref === 'function') {
		stdin.unref();
	}
	await eventually(
		'PostgreSQL answers',
		() =>
			query(directory, 'select 1').then(
				() => true,
				() => false,
			),
		{timeoutMs: startTimeoutMs},
	);
	await query(directory, `create database ${templateName}`);
	await using _migrated = await openFleetDatabase({url: urlOf(directory, templateName)});
	return directory;
};

const urlOf = (directory: string, name: string): string =>
	`postgres://fleet@localhost/${name}?host=${encodeURIComponent(directory)}`;

const query = async (directory: string, text: string): Promise<void> => {
	const client = new Client({connectionString: urlOf(directory, 'postgres')});
	await client.connect();
	try {
		await client.query(text);
	} finally {
		await client.end();
	}
};

/** The URL of a migrated, empty database. */
export const createPostgresDatabase = async (): Promise<string> => {
	started ??= startPostgres();
	const directory = await started;
	databaseCount += 1;
	const name = `fleet_${databaseCount}`;
	await query(directory, `create database ${name} template ${templateName}`);
	return urlOf(directory, name);
};
