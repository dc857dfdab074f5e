import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import type Router from '@koa/router';
import {pageAssets} from '#appliance/http/page-assets.ts';
import type {RoleContext, RunningRole} from '#appliance/process/role-context.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {projectRoot} from '#native/project-root.ts';
import {createObjectCache} from '#stb/cache/create-object-cache.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import type {StbConfig} from '#stb/config-schema.ts';
import {type Reception, startReception} from '#stb/receive/start-reception.ts';
import {type Serving, startServing} from '#stb/serve/start-serving.ts';
import {createStbMetrics} from '#stb/status/metrics.ts';
import {mountPlayback} from '#stb/status/playback-route.ts';
import {createStatusReader, type ServingCounts} from '#stb/status/read-status.ts';
import {readTitles} from '#stb/status/read-titles.ts';
import {createStatusEvents} from '#stb/status/status-events.ts';
import {mountStatusRoutes} from '#stb/status/status-routes.ts';
import {carriageOf, type RunningTuner, startTuner} from '#stb/tuner/start-tuner.ts';

const pageDirectory = join(projectRoot, 'stb/page');

/**
 * The set-top's composition root: cache, then reception into it, then the tuner that feeds it, then serving out of both. It
 * serves what it has before it has heard anything; a dish that points nowhere takes no film away.
 */
export const startStb = async (context: RoleContext<StbConfig>): Promise<RunningRole> => {
	const {box, config, logger, signal} = context;
	const clock = systemClock;
	await using stack = new AsyncDisposableStack();
	const directory = join(box.stateDirectory, 'cache');
	await mkdir(directory, {recursive: true});
	const {budgetBytes, objectExpiryMs} = config.cache;
	const cache = stack.use(
		createObjectCache({
			...{directory, budgetBytes, objectExpiryMs, clock},
			webTree: config.serve.dataPlane === 'nginx',
			logger: logger.child({component: 'cache'}),
		}),
	);
	await cache.start({signal});
	const carriage = config.tuner && carriageOf(config.tuner);
	const reception = stack.use(await startReception({config, cache, carriage, clock, logger}));
	const tuner =
		config.tuner &&
		stack.use(
			startTuner({
				...{config: config.tuner, reception, clock, logger: logger.child({component: 'tuner'})},
				carriersPath: join(box.stateDirectory, 'carriers.json'),
			}),
		);
	const serving: {current?: Serving} = {};
	const mount = mountBox({context, cache, reception, tuner, counts: () => servingCounts(serving.current)});
	stack.use(mount);
	serving.current = stack.use(
		await startServing({
			...{cache, signal, clock},
			arrivals: reception.assembler.arrivals,
			origin: {
				objectBaseUri: config.objectBaseUri,
				baseUrls: () => reception.tuning.originsOf(config.objectBaseUri),
			},
			listen: config.serve.listen,
			dataPlane: config.serve.dataPlane,
			mount: mount.routes,
			logger: logger.child({component: 'serve'}),
		}),
	);
	const endpoints = {http: serving.current.url};
	const owned = stack.move();
	return {
		endpoints,
		purgeCache: (uriPrefix) => cache.purge({prefix: uriPrefix}),
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
};

/** The box's own pages and API. */
const mountBox = (options: {
	readonly context: RoleContext<StbConfig>;
	readonly cache: ObjectCache;
	readonly reception: Reception;
	readonly tuner: RunningTuner | undefined;
	readonly counts: () => ServingCounts;
}): AsyncDisposable & {readonly routes: (router: Router) => void} => {
	const {context, cache, reception, tuner, counts} = options;
	const {signalling, ...parts} = reception;
	const readStatus = createStatusReader({
		...parts,
		...{cache, serving: counts, clock: systemClock},
		...(tuner === undefined ? {} : {tuner: tuner.status}),
		box: context.box.id,
	});
	const events = createStatusEvents({read: readStatus});
	const assets = pageAssets({directory: pageDirectory, prefix: '/box/assets/'});
	return {
		routes: (router) => {
			mountStatusRoutes(router, {
				...{readStatus, events, cache},
				readTitles: () => readTitles(signalling.titles(), cache),
				metrics: createStbMetrics(readStatus),
				document: signalling.document,
			});
			mountPlayback(router, {tell: (report) => context.tellPlayback?.(report), clock: systemClock});
			router.get('/', assets);
			router.get('/box/assets/{*path}', assets);
		},
		[Symbol.asyncDispose]: () => events[Symbol.asyncDispose](),
	};
};

/** What came by the satellite counts as a hit, also while it still comes; a stale copy stood in for a miss. */
const servingCounts = (serving: Serving | undefined): ServingCounts => {
	const stats = serving?.stats();
	return {
		hits: (stats?.hits ?? 0) + (stats?.arriving ?? 0),
		misses: (stats?.misses ?? 0) + (stats?.stale ?? 0),
		terrestrial: {
			requests: stats?.terrestrial.requests ?? 0,
			bytes: stats?.terrestrial.bytes ?? 0,
			failures: stats?.terrestrial.failures ?? 0,
		},
	};
};
