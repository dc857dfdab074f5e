import {type ChildProcess, fork, spawn} from 'node:child_process';
import {once} from 'node:events';
import {cp, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {listen} from '#appliance/http/listen.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Bench, BenchRow} from '#test/bench/bench-row.ts';
import {type Load, loadServer} from '#test/bench/serve-load.ts';

const sizes = {large: 4 * 1024 * 1024, small: 16 * 1024} as const;
/** Interleaved, so that what else the machine does meets every server alike; medians, so that one bad second does not count. */
const rounds = 5;
const secondsPerRun = 2;
const connections = 8;

type Server = {readonly name: string; readonly pid: number; readonly urlOf: (sizeBytes: number) => string};

/** What Debian's nginx package ships in nginx.conf and sites-enabled/default, with other paths and another port. */
const plainConfig = (facts: {readonly directory: string; readonly www: string; readonly port: number}): string => `
user ${process.getuid?.() === 0 ? 'root' : 'www-data'};
worker_processes auto;
daemon off;
pid ${facts.directory}/nginx.pid;
events { worker_connections 768; }
http {
	sendfile on;
	tcp_nopush on;
	types_hash_max_size 2048;
	include /etc/nginx/mime.types;
	default_type application/octet-stream;
	access_log ${facts.directory}/access.log;
	error_log ${facts.directory}/error.log;
	gzip on;
	server {
		listen 127.0.0.1:${facts.port} default_server;
		root ${facts.www};
		index index.html index.htm index.nginx-debian.html;
		server_name _;
		location / { try_files $uri $uri/ =404; }
	}
}
`;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

export const run: Bench = async ({signal, progress}) => {
	await using stack = new AsyncDisposableStack();
	const directory = await mkdtemp(join(tmpdir(), 'streamverse-bench-'));
	stack.defer(async () => await rm(directory, {recursive: true, force: true}));
	const servers: Server[] = [];
	for (const plane of ['nginx', 'node'] as const) {
		servers.push(await startOurs(stack, join(directory, plane), plane));
	}
	servers.unshift(await startPlain(stack, directory, join(directory, 'nginx', 'www')));
	const rows: BenchRow[] = [];
	for (const [label, sizeBytes] of Object.entries(sizes)) {
		const loads = new Map<string, Load[]>(servers.map(({name}) => [name, []]));
		for (let round = 0; round < rounds; round++) {
			// Another one begins each round, so that none is always the first after a pause.
			for (const server of [...servers.slice(round % servers.length), ...servers.slice(0, round % servers.length)]) {
				const load = await loadServer({
					url: server.urlOf(sizeBytes),
					pid: server.pid,
					sizeBytes,
					seconds: secondsPerRun,
					connections,
					signal,
				});
				loads.get(server.name)?.push(load);
				progress(
					`serve ${label} ${server.name}: ${load.gbpsPerCore.toFixed(1)} Gbit/s per core, ${Math.round(load.requestsPerSecond)} requests/s`,
				);
			}
		}
		rows.push(...rowsOf(label, loads));
	}
	return rows;
};

const rowsOf = (label: string, loads: ReadonlyMap<string, readonly Load[]>): readonly BenchRow[] => {
	const reference = loads.get('plain') ?? [];
	const rows: BenchRow[] = [];
	for (const [plane, own] of loads) {
		for (const [field, unit] of [
			['gbpsPerCore', 'Gbit/s per core'],
			['requestsPerSecond', 'requests/s'],
		] as const) {
			const value = median(own.map((load) => load[field]));
			if (plane === 'plain') {
				rows.push({name: `serve.${label}.debianNginx.${field}`, value, unit});
				continue;
			}
			// Each round's ratio is of two runs seconds apart.
			const ratio = median(own.map((load, round) => load[field] / (reference[round]?.[field] ?? Number.NaN)));
			const promised = plane === 'nginx' && label === 'large' && field === 'gbpsPerCore';
			rows.push({
				name: `serve.${label}.${plane}Plane.${field}`,
				value,
				unit,
				reference: 'Debian’s nginx with its default configuration, same file, same run',
				ratio,
				...(promised ? {bar: 1, pass: ratio >= 1} : {}),
			});
		}
	}
	return rows;
};

const startOurs = async (stack: AsyncDisposableStack, directory: string, plane: string): Promise<Server> => {
	const script = fileURLToPath(new URL('serve-child.ts', import.meta.url));
	const child = fork(script, [directory, plane, JSON.stringify(Object.values(sizes))], {
		stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
	});
	stack.defer(async () => {
		child.disconnect();
		await ended(child);
	});
	const [ready] = (await once(child, 'message')) as [{url: string; dataPlane: string}];
	if (ready.dataPlane !== plane) {
		throw new Error('This bench needs nginx: apt-get install nginx-light.');
	}
	return {name: plane, pid: child.pid ?? 0, urlOf: (sizeBytes) => `${ready.url}/streamverse/${sizeBytes}.m4s`};
};

const startPlain = async (stack: AsyncDisposableStack, parent: string, www: string): Promise<Server> => {
	const directory = join(parent, 'plain');
	await mkdir(directory);
	await cp(www, join(directory, 'www'), {recursive: true});
	const port = await freePort();
	const configPath = join(directory, 'nginx.conf');
	await writeFile(configPath, plainConfig({directory, www: join(directory, 'www'), port}));
	const child = spawn('/usr/sbin/nginx', ['-e', 'stderr', '-p', directory, '-c', configPath], {
		stdio: ['ignore', 'ignore', 'inherit'],
	});
	stack.defer(async () => {
		child.kill('SIGTERM');
		await ended(child);
	});
	const urlOf = (sizeBytes: number): string => `http://127.0.0.1:${port}/streamverse/${sizeBytes}.m4s`;
	for (let attempt = 0; attempt < 100; attempt++) {
		if (
			await fetch(urlOf(sizes.small), {method: 'HEAD'}).then(
				({ok}) => ok,
				() => false,
			)
		) {
			return {name: 'plain', pid: child.pid ?? 0, urlOf};
		}
		await sleep(50);
	}
	throw new Error('The reference nginx did not start.');
};

const ended = async (child: ChildProcess): Promise<void> => {
	if (child.exitCode === null && child.signalCode === null) {
		await once(child, 'exit');
	}
};

const freePort = async (): Promise<number> => {
	await using listener = await listen({handler: () => undefined, host: '127.0.0.1', port: 0});
	return listener.port;
};
