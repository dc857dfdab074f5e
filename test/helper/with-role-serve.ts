import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {ExecutionContext} from 'ava';

/** A stand-in for the set-top role's serve: one object, of which only `held` ranges are there yet. */
export type RoleServe = {
	readonly url: string;
	/** Half-open ranges that are there; undefined: not even the object is known. */
	held: readonly (readonly [number, number])[] | undefined;
	bytes: Buffer;
	/** What `orders.json` says, where it is there. */
	orders: string | undefined;
	readonly requests: {readonly range: string; readonly cacheControl: string}[];
};

export const withRoleServe = async (t: ExecutionContext, bytes: Buffer): Promise<RoleServe> => {
	const serve = {
		url: '',
		held: [[0, bytes.length]] as RoleServe['held'],
		bytes,
		orders: undefined as string | undefined,
		requests: [] as RoleServe['requests'],
	};
	const server = createServer((request, response) => {
		const {range = '', 'cache-control': cacheControl = ''} = request.headers;
		serve.requests.push({range, cacheControl});
		if (request.url?.endsWith('/orders.json') === true) {
			response.writeHead(serve.orders === undefined ? 504 : 200).end(serve.orders);
			return;
		}
		const [, from, to] = /^bytes=(\d+)-(\d+)$/u.exec(range) ?? [];
		const [start, end] = [Number(from), Number(to) + 1];
		const run = serve.held?.find(([a, b]) => b > start && a < end);
		if (run === undefined) {
			response.writeHead(504).end();
			return;
		}
		const [a, b] = [Math.max(run[0], start), Math.min(run[1], end)];
		response.writeHead(206, {'content-range': `bytes ${a}-${b - 1}/${serve.bytes.length}`, 'content-length': b - a});
		response.end(serve.bytes.subarray(a, b));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	serve.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return serve;
};
