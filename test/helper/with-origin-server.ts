import type {IncomingMessage, ServerResponse} from 'node:http';
import type {ExecutionContext} from 'ava';
import {contentRangeOf, parseByteRanges} from '#appliance/http/byte-ranges.ts';
import {listen} from '#appliance/http/listen.ts';
import {sha256Of} from '#test/helper/with-object-cache.ts';

export type OriginServer = {
	readonly url: string;
	/** Every request so far: `GET /path range`. */
	readonly requests: string[];
	/** Paths relative to the base URL. */
	readonly objects: Map<string, Buffer>;
	/** Replaces the whole answer when it returns true. */
	intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
	readonly extraHeaders: Record<string, string>;
};

/** A terrestrial origin at the process edge: ranges, strong ETags, and whatever misbehaviour the test asks for. */
export const withOriginServer = async (t: ExecutionContext): Promise<OriginServer> => {
	const origin: OriginServer = {url: '', requests: [], objects: new Map(), intercept: undefined, extraHeaders: {}};
	const listener = await listen({
		host: '127.0.0.1',
		port: 0,
		handler: (request, response) => {
			origin.requests.push(`${request.method} ${request.url} ${request.headers.range ?? ''}`.trim());
			if (origin.intercept?.(request, response) !== true) {
				answer(origin, request, response);
			}
		},
	});
	t.teardown(async () => await listener[Symbol.asyncDispose]());
	return Object.assign(origin, {url: `${listener.url}/`});
};

const answer = (origin: OriginServer, request: IncomingMessage, response: ServerResponse): void => {
	const bytes = origin.objects.get((request.url ?? '').slice(1));
	if (bytes === undefined) {
		response.writeHead(404).end();
		return;
	}
	const etag = `"${sha256Of(bytes)}"`;
	if (request.headers['if-none-match'] === etag) {
		response.writeHead(304, {etag, ...origin.extraHeaders}).end();
		return;
	}
	const ifRange = request.headers['if-range'];
	const ranges = parseByteRanges(
		ifRange === undefined || ifRange === etag ? request.headers.range : undefined,
		bytes.length,
	);
	const [range] = ranges.kind === 'ranges' ? ranges.ranges : [];
	const body = range === undefined ? bytes : bytes.subarray(range.start, range.end + 1);
	response.writeHead(range === undefined ? 200 : 206, {
		etag,
		'content-length': body.length,
		'content-type': 'video/iso.segment',
		...(range === undefined ? {} : {'content-range': contentRangeOf(range, bytes.length)}),
		...origin.extraHeaders,
	});
	response.end(request.method === 'HEAD' ? undefined : body);
};
