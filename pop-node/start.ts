import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {listen} from '#appliance/http/listen.ts';
import type {RoleContext, RunningRole} from '#appliance/process/role-context.ts';
import {systemClock} from '#appliance/time/clock.ts';
import type {PopNodeConfig} from '#pop-node/config-schema.ts';
import {createDownloader} from '#pop-node/ingest/download-missing.ts';
import {createFetcher} from '#pop-node/ingest/fetcher.ts';
import {type FollowState, followCatalogue} from '#pop-node/ingest/follow-catalogue.ts';
import {createHeadendClient} from '#pop-node/ingest/headend-client.ts';
import {openAccessLog} from '#pop-node/repair/access-log.ts';
import {createFindObject} from '#pop-node/repair/find-object.ts';
import {createRepairMetrics} from '#pop-node/repair/metrics.ts';
import {createPassThrough} from '#pop-node/repair/pass-through.ts';
import {createRateLimit} from '#pop-node/repair/rate-limit.ts';
import {createRepairApp} from '#pop-node/repair/repair-app.ts';
import type {PopNodeStatus} from '#pop-node/repair/status.ts';
import {openObjectStore} from '#pop-node/store/object-store.ts';

/** Starts a pop-node: it answers before it has seen the headend, from what it kept. */
export const startPopNode = async (context: RoleContext<PopNodeConfig>): Promise<RunningRole> => {
	const {box, config, logger} = context;
	const clock = systemClock;
	await using stack = new AsyncDisposableStack();
	const stopped = new AbortController();
	const signal = AbortSignal.any([context.signal, stopped.signal]);
	await mkdir(box.stateDirectory, {recursive: true});
	const store = stack.use(
		await openObjectStore({
			directory: join(box.stateDirectory, 'object'),
			budgetBytes: config.store.budgetBytes,
			logger: logger.child({component: 'store'}),
			clock,
		}),
	);
	const client = createHeadendClient({headendUrl: config.headendUrl, ...config.ingest});
	const ingestLogger = logger.child({component: 'ingest'});
	const fetcher = createFetcher({
		client,
		store,
		objectBytesMax: config.ingest.objectBytesMax,
		signal,
	});
	const downloader = createDownloader({...config.ingest, fetcher, store, clock, logger: ingestLogger, signal});
	let follow: FollowState = {kind: 'syncing', objects: 0};
	const readStatus = (): PopNodeStatus => ({
		version: 1,
		box: box.id,
		nowMs: clock.nowMs(),
		follow,
		store: store.stats(),
		ingest: {active: downloader.active(), ...fetcher.stats()},
		requests: metrics.counts(),
	});
	const metrics = createRepairMetrics(readStatus);
	const accessLog = stack.use(
		openAccessLog({
			path: join(box.stateDirectory, 'access.log'),
			...config.accessLog,
			logger: logger.child({component: 'access-log'}),
		}),
	);
	const passThrough = createPassThrough({...config.repair, client, store, fetcher, signal});
	const app = createRepairApp({
		basePath: new URL(config.objectBaseUri).pathname,
		findObject: createFindObject({...config.repair, store, fetcher, clock, isFull: passThrough.isFull}),
		passThrough,
		rateLimit: createRateLimit({...config.repair, clock}),
		accessLog,
		metrics,
		readStatus,
		logger: logger.child({component: 'repair'}),
	});
	const running = Promise.all([
		followCatalogue({
			...config.ingest,
			client,
			store,
			logger: ingestLogger,
			signal,
			onState: (state) => {
				follow = state;
			},
			onReplaced: fetcher.discard,
			onChange: downloader.notify,
		}),
		downloader.run(),
	]);
	stack.defer(async () => {
		stopped.abort();
		await running;
		await downloader.settled();
	});
	const listener = stack.use(await listen({handler: app.callback(), ...config.listen}));
	const owned = stack.move();
	return {
		endpoints: {http: listener.url},
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
};
