import Router from '@koa/router';
import type {ListenConfig} from '#appliance/config/box-config-schema.ts';
import {createApp} from '#appliance/http/create-app.ts';
import {type HttpListener, listen} from '#appliance/http/listen.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import type {Arrivals} from '#stb/serve/arrivals.ts';
import type {DataPlane} from '#stb/serve/entity-tag.ts';
import {isNginxInstalled, startNginx} from '#stb/serve/nginx/start-nginx.ts';
import {objectHandler} from '#stb/serve/object-handler.ts';
import {createOrigin} from '#stb/serve/origin.ts';
import type {ServedFrom} from '#stb/serve/response-headers.ts';
import {createSegmentsAhead} from '#stb/serve/segments-ahead.ts';
import type {OriginOptions} from '#stb/serve/serve-options.ts';
import {createServeCounts, type ServeStats} from '#stb/serve/serve-stats.ts';

/** A home has dozens of players at most; more connections than these are refused by the kernel's backlog. */
const connectionsMax = 1024;
/** A connection on which nothing moves, be it a paused player's, is closed; players come back with a range. */
const socketIdleMs = 300_000;

export type ServingOptions = {
	readonly cache: ObjectCache;
	readonly arrivals: Arrivals;
	readonly origin: OriginOptions;
	readonly listen: ListenConfig;
	readonly dataPlane: DataPlane;
	readonly logger: Logger;
	readonly signal: AbortSignal;
	/** Adds what the box serves besides objects (`/`, `/box/…`). */
	readonly mount?: (router: Router) => void;
	readonly clock?: Clock;
	readonly random?: () => number;
};

export type Serving = AsyncDisposable & {
	/** `http://host:port`, without a slash at the end. */
	readonly url: string;
	/** The one that is used: without nginx installed it is ours. */
	readonly dataPlane: DataPlane;
	readonly stats: () => ServeStats;
	/** Resolves when no fetch ahead is under way; for tests. */
	readonly idle: () => Promise<void>;
};

/** Serves the box's objects and pages over HTTP. */
export const startServing = async (options: ServingOptions): Promise<Serving> => {
	const {cache, arrivals, logger, signal, dataPlane, clock = systemClock, random = Math.random} = options;
	signal.throwIfAborted();
	await using stack = new AsyncDisposableStack();
	const origin = stack.use(createOrigin({...options.origin, cache, logger, clock, random}));
	const ahead = createSegmentsAhead({cache, arrivals, origin, clock, logger});
	const counts = createServeCounts();
	const onServed = (uri: Parameters<typeof ahead.observe>[0], from: ServedFrom): void => {
		counts.count(from);
		ahead.observe(uri, from);
	};
	const app = createApp({logger});
	const router = new Router();
	options.mount?.(router);
	app.use(router.routes());
	const plane = await availablePlane(dataPlane, logger);
	app.use(objectHandler({cache, arrivals, origin, plane, clock, logger, onServed}));
	const behindNginx = {host: '127.0.0.1', port: 0};
	const ours = plane === 'nginx' ? behindNginx : options.listen;
	const listener: HttpListener = stack.use(await listen({handler: app.callback(), ...ours}));
	listener.server.maxConnections = connectionsMax;
	listener.server.setTimeout(socketIdleMs);
	const nginx =
		plane === 'node'
			? undefined
			: stack.use(
					await startNginx({
						layout: cache.layout,
						listen: options.listen,
						upstreamPort: listener.port,
						pathPrefix: new URL(options.origin.objectBaseUri).pathname,
						onUses: (uses) => {
							for (const {uri, usedMs, count} of uses) {
								cache.touch(uri, usedMs);
								counts.count('cache', count);
								ahead.observe(uri, 'cache');
							}
						},
						logger,
						signal,
					}),
				);
	const owned = stack.move();
	return {
		url: nginx?.url ?? listener.url,
		dataPlane: plane,
		stats: () => counts.stats(origin.stats()),
		idle: ahead.idle,
		[Symbol.asyncDispose]: async () => await owned.disposeAsync(),
	};
};

const availablePlane = async (wanted: DataPlane, logger: Logger): Promise<DataPlane> => {
	if (wanted === 'nginx' && !(await isNginxInstalled())) {
		logger.warn('nginx is not installed; this process serves the bytes itself, more slowly');
		return 'node';
	}
	return wanted;
};
