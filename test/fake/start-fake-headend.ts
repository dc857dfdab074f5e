import {createHash} from 'node:crypto';
import type {ServerResponse} from 'node:http';
import type {CatalogueChange, CatalogueObject} from '#appliance/contract/catalogue-schema.ts';
import {type HttpListener, listen} from '#appliance/http/listen.ts';

export type FakeHeadend = AsyncDisposable & {
	readonly url: string;
	readonly port: number;
	/** Requests for objects (not pages or feeds), as `METHOD path range`. */
	readonly requests: readonly string[];
	put(path: string, bytes: Buffer, facts?: Partial<CatalogueObject>): CatalogueObject;
	/** Bytes without a word about them in the catalogue. */
	hold(path: string, bytes: Buffer): void;
	remove(path: string): void;
	/** Sent instead of the true bytes until `undefined`. */
	spoil(answer: ((bytes: Buffer, response: ServerResponse) => boolean) | undefined): void;
	/** Ends every connection, open feeds among them. */
	disconnect(): void;
};

const baseUri = 'http://dvb.gw/streamverse/';

/** The headend's HTTP contract in a hundred lines, for what the true headend would never do: lie, break off, forget. */
export const startFakeHeadend = async (options: {readonly port?: number; readonly revision?: number} = {}) => {
	const objects = new Map<string, CatalogueObject>();
	const contents = new Map<string, Buffer>();
	const feeds = new Set<ServerResponse>();
	const requests: string[] = [];
	let revision = options.revision ?? 0;
	let spoiled: ((bytes: Buffer, response: ServerResponse) => boolean) | undefined;
	const tell = (change: CatalogueChange): void => {
		for (const feed of feeds) {
			feed.write(`data: ${JSON.stringify(change)}\n\n`);
		}
	};
	const sendObject = (path: string, range: string | undefined, response: ServerResponse): void => {
		const bytes = contents.get(path);
		if (bytes === undefined) {
			response.writeHead(404).end();
			return;
		}
		if (spoiled?.(bytes, response) === true) {
			return;
		}
		const [, first, last = ''] = /^bytes=(\d+)-(\d*)$/u.exec(range ?? '') ?? [];
		const start = Number(first ?? 0);
		const end = last === '' ? bytes.length - 1 : Number(last);
		const headers = {
			ETag: `"${createHash('sha256').update(bytes).digest('hex')}"`,
			'Content-Type': 'video/mp4',
			'Content-Length': end + 1 - start,
		};
		if (first !== undefined) {
			response.writeHead(206, {...headers, 'Content-Range': `bytes ${start}-${end}/${bytes.length}`});
		} else {
			response.writeHead(200, headers);
		}
		response.end(bytes.subarray(start, end + 1));
	};
	const listener: HttpListener = await listen({
		host: '127.0.0.1',
		port: options.port ?? 0,
		handler: (request, response) => {
			const url = new URL(request.url ?? '/', 'http://fake');
			if (url.pathname === '/catalogue/feed') {
				response.writeHead(200, {'Content-Type': 'text/event-stream'});
				response.write(':\n\n');
				feeds.add(response);
				response.once('close', () => feeds.delete(response));
			} else if (url.pathname === '/catalogue') {
				const after = url.searchParams.get('after') ?? '';
				const sorted = [...objects.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
				const page = sorted.filter(({path}) => path > after).slice(0, 3);
				const next = page.at(-1)?.path;
				const more = next !== undefined && next !== sorted.at(-1)?.path;
				response.end(JSON.stringify({revision, objects: page, ...(more ? {next} : {})}));
			} else {
				const path = url.pathname.slice('/catalogue/'.length);
				const {range} = request.headers;
				requests.push([request.method, path, range].filter((part) => part !== undefined).join(' '));
				sendObject(path, range, response);
			}
		},
	});
	const headend: FakeHeadend = {
		url: listener.url,
		port: listener.port,
		requests,
		put: (path, bytes, facts = {}) => {
			revision += 1;
			const object: CatalogueObject = {
				path,
				uri: baseUri + path,
				sizeBytes: bytes.length,
				sha256: createHash('sha256').update(bytes).digest('hex'),
				contentType: 'video/mp4',
				priority: 'medium',
				revision,
				...facts,
			};
			objects.set(path, object);
			contents.set(path, bytes);
			tell({kind: 'put', object});
			return object;
		},
		hold: (path, bytes) => void contents.set(path, bytes),
		remove: (path) => {
			revision += 1;
			objects.delete(path);
			contents.delete(path);
			tell({kind: 'delete', path, revision});
		},
		spoil: (answer) => {
			spoiled = answer;
		},
		disconnect: () => listener.server.closeAllConnections(),
		[Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
	};
	return headend;
};
