import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import type {IncomingMessage, RequestListener, ServerResponse} from 'node:http';
import type {Socket} from 'node:net';
import {join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {releaseVersionSchema, sha256Schema} from '#appliance/contract/fleet/release-schema.ts';
import {listen} from '#appliance/http/listen.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {type FetchBundleOptions, fetchBundle} from '#ota/agent/fetch/fetch-bundle.ts';
import {artifactPath, createRelease} from '#ota/release/create-release.ts';

export type FetchCost = {
	/** Everything that the server sent: lists, ranges, and the heads of its answers. */
	readonly sentBytes: number;
	readonly requests: number;
	readonly listBytes: number;
};

const fetchMs = 600_000;

/**
 * What the agent of a box fetches of a bundle that is published as a release, from a server on loopback, when `local` holds
 * what the box has. It ends with the digest of the whole, so that what is counted is enough.
 */
export const fetchCost = async (options: {
	readonly bundlePath: string;
	readonly local: readonly string[];
	/** Empty. */
	readonly directory: string;
	readonly signal: AbortSignal;
}): Promise<FetchCost> => {
	const {bundlePath, local, directory, signal} = options;
	await using stack = new AsyncDisposableStack();
	const release = releaseVersionSchema.parse('1.0.1');
	const {manifest} = await createRelease({
		...{directory: join(directory, 'release'), release, notes: '', signal},
		bundles: [{path: bundlePath, kind: 'stb', compatible: 'bench', format: 'rauc'}],
	});
	const [bundle] = manifest.bundles;
	if (bundle?.blocks === undefined) {
		throw new Error('a release of one bundle has one, with a list of its blocks');
	}
	const server = await serveArtifacts(join(directory, 'release'), stack);
	const order: FetchBundleOptions['order'] = {
		orderId: 'bench',
		sources: [
			{kind: 'blocks', url: `${server.url}/${bundle.blocks.sha256}`},
			{kind: 'https', url: `${server.url}/${bundle.sha256}`},
		],
		byteBudgetBytes: 2 * bundle.sizeBytes,
		deadlines: {fetchMs, installMs: fetchMs, rebootMs: fetchMs, confirmMs: fetchMs},
	};
	await fetchBundle({
		...{order, bundle, local, path: join(directory, 'part'), progress: undefined, keepProgress: () => undefined},
		...{httpsAgent: () => undefined, clock: systemClock, random: Math.random, logger: silentLogger(), signal},
	});
	return {...server.cost(), listBytes: bundle.blocks.sizeBytes};
};

type Artifacts = {readonly url: string; readonly cost: () => Omit<FetchCost, 'listBytes'>};

/** Files by their digests, whole or one range of them. */
const serveArtifacts = async (directory: string, stack: AsyncDisposableStack): Promise<Artifacts> => {
	let requests = 0;
	const sockets = new Set<Socket>();
	const answer: RequestListener = (request, response) => {
		requests += 1;
		void sendRange(directory, request, response).catch((error: unknown) => response.destroy(error as Error));
	};
	const {server, url} = stack.use(await listen({handler: answer, host: '127.0.0.1', port: 0}));
	server.on('connection', (socket) => void sockets.add(socket));
	return {
		url,
		cost: () => ({requests, sentBytes: [...sockets].reduce((sum, {bytesWritten}) => sum + bytesWritten, 0)}),
	};
};

const sendRange = async (directory: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
	const sha256 = sha256Schema.parse(request.url?.slice(1));
	const path = artifactPath(directory, sha256);
	const {size} = await stat(path);
	const range = /^bytes=(\d+)-(\d+)$/u.exec(request.headers.range ?? '');
	const [start, end] = range === null ? [0, size - 1] : [Number(range[1]), Number(range[2])];
	response.writeHead(range === null ? 200 : 206, {
		etag: `"${sha256}"`,
		'content-length': String(end - start + 1),
		...(range === null ? {} : {'content-range': `bytes ${start}-${end}/${size}`}),
	});
	await pipeline(createReadStream(path, {start, end}), response);
};
