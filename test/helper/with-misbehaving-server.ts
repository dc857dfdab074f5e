import {execFile} from 'node:child_process';
import {once} from 'node:events';
import {readFile} from 'node:fs/promises';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {Agent, createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type {ExecutionContext} from 'ava';
import {withDirectory} from '#test/helper/with-directory.ts';

const run = promisify(execFile);

export type Asked = {
	/** From 0 on. */
	readonly count: number;
	readonly from: number;
	/** Exclusive. */
	readonly to: number;
	readonly ifRange: string | undefined;
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
	/** Answers as an honest server does; parts of it may be given otherwise. */
	readonly honest: (edits?: {
		readonly headers?: Readonly<Record<string, string | undefined>>;
		readonly body?: Buffer;
		readonly status?: number;
	}) => void;
};

export type MisbehavingServer = {
	readonly url: string;
	readonly agent: Agent;
	readonly asked: () => number;
	readonly sentBytes: () => number;
};

/** A real HTTPS server with a certificate of its own CA, that answers each request for ranges as the test likes. */
export const withMisbehavingServer = async (
	t: ExecutionContext,
	{bytes, answer}: {readonly bytes: Buffer; readonly answer: (asked: Asked) => void},
): Promise<MisbehavingServer> => {
	const directory = await withDirectory(t);
	const [keyPath, certPath] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
	await run('openssl', [
		...[
			'req',
			'-x509',
			'-newkey',
			'ec',
			'-pkeyopt',
			'ec_paramgen_curve:P-256',
			'-nodes',
			'-days',
			'2',
			'-subj',
			'/CN=x',
		],
		...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyPath, '-out', certPath],
	]);
	const [key, cert] = await Promise.all([readFile(keyPath), readFile(certPath)]);
	let [count, sentBytes] = [0, 0];
	const server = createServer({key, cert}, (request, response) => {
		const [, first, last] = /^bytes=(\d+)-(\d+)$/u.exec(request.headers.range ?? '') ?? [];
		const [from, to] = [Number(first ?? 0), last === undefined ? bytes.length : Number(last) + 1];
		response.on('error', () => undefined);
		answer({
			count: count++,
			from,
			to,
			ifRange: request.headers['if-range']?.toString(),
			request,
			response,
			honest: ({headers = {}, body = bytes.subarray(from, to), status = 206} = {}) => {
				const usual: Record<string, string | undefined> = {
					etag: '"v1"',
					'content-range': `bytes ${from}-${to - 1}/${bytes.length}`,
					'content-length': String(body.length),
					...headers,
				};
				response.writeHead(
					status,
					Object.fromEntries(Object.entries(usual).filter((each): each is [string, string] => each[1] !== undefined)),
				);
				sentBytes += body.length;
				response.end(body);
			},
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const agent = new Agent({ca: cert, keepAlive: true});
	t.teardown(() => {
		agent.destroy();
		server.closeAllConnections();
		server.close();
	});
	const {port} = server.address() as AddressInfo;
	return {url: `https://127.0.0.1:${port}/artifact/x`, agent, asked: () => count, sentBytes: () => sentBytes};
};
