import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import Router from '@koa/router';
import {createApp} from '#appliance/http/create-app.ts';
import {type HttpListener, listen} from '#appliance/http/listen.ts';
import {pageAssets} from '#appliance/http/page-assets.ts';
import type {RoleContext, RunningRole} from '#appliance/process/role-context.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';
import {startAnnouncer} from '#headend/announcer.ts';
import {Carousel} from '#headend/carousel/carousel.ts';
import {createIdentifierRegistry} from '#headend/carousel/identifier-registry.ts';
import type {OpenSender} from '#headend/carousel/uplink.ts';
import {mountCatalogue} from '#headend/catalogue/catalogue-routes.ts';
import {type CatalogueStore, openCatalogueStore} from '#headend/catalogue/catalogue-store.ts';
import {startDirectorySource} from '#headend/catalogue/directory-source.ts';
import {mountCatalogueFeed} from '#headend/catalogue/feed-routes.ts';
import {startSweeper} from '#headend/catalogue/sweeper.ts';
import {TitleKeeper} from '#headend/catalogue/title-keeper.ts';
import type {HeadendConfig} from '#headend/config-schema.ts';
import {ChannelRegistry} from '#headend/ingest/channel-registry.ts';
import {mountIngest} from '#headend/ingest/ingest-routes.ts';
import {openUplinkSender} from '#headend/open-uplink-sender.ts';
import {createStatus} from '#headend/status/create-status.ts';
import {mountMetrics} from '#headend/status/metrics.ts';
import {mountStatus} from '#headend/status/status-routes.ts';
import {openOutput} from '#headend/uplink/open-output.ts';
import {Transmission} from '#headend/uplink/transmission.ts';
import {projectRoot} from '#native/project-root.ts';

/** The headend's composition root. Tests may put a recorder in the sender's place, and turn the clock. */
export const startHeadend = async (
	context: RoleContext<HeadendConfig>,
	replaced: {readonly openSender?: OpenSender; readonly clock?: Clock} = {},
): Promise<RunningRole<HeadendConfig>> => {
	const {config, box, logger, signal} = context;
	const clock = replaced.clock ?? systemClock;
	const {objectBaseUri} = config.operator;
	await using stack = new AsyncDisposableStack();
	const ended = new AbortController();
	const signals = AbortSignal.any([signal, ended.signal]);

	await mkdir(box.stateDirectory, {recursive: true});
	const store = stack.use(
		await openCatalogueStore({stateDirectory: box.stateDirectory, config: config.catalogue, clock}),
	);
	const {catalogue, uploads, contentStore, database} = store;
	const channels = new ChannelRegistry({catalogue, clock, config: config.ingest});
	const directory = await startDirectorySource({catalogue, config, clock, logger, signal: signals});
	stack.use(directory);

	const transmission = new Transmission(config);
	const output = stack.use(openOutput({transmission, logger: logger.child({component: 'output'}), onFailed: endRole}));
	const carousel = new Carousel({
		...{config, transmission, catalogue, clock},
		registry: createIdentifierRegistry(database),
		openSender: replaced.openSender ?? openUplinkSender(config, transmission.rateBps),
		logger: logger.child({component: 'carousel'}),
		hold: (filePath) => contentStore.hold(filePath),
		onChanged: (entry) => directory.look(entry.path),
	});
	stack.use(carousel);
	carousel.start();
	stack.use(startSweeper({catalogue, uploads, channels, logger}));
	const titles = new TitleKeeper({catalogue, objectBaseUri, channels: config.ingest.channels, logger});
	const announcer = stack.use(await startAnnouncer({transmission, catalogue, carousel, titles, clock, logger}));

	const router = new Router();
	const status = createStatus({boxId: box.id, transmission, output, carousel, channels, clock});
	mountStatus(router, {
		status,
		titles: () => titles.titles,
		signalling: () => carousel.signallingObjects,
		signal: signals,
	});
	mountMetrics(router, {status, catalogueObjects: () => catalogue.size});
	mountStore(router, {context, store, channels, carousel, clock, signal: signals});
	const server = stack.use(await serve(router, context));
	stack.defer(() => ended.abort());

	const owned = stack.move();
	return {
		endpoints: {http: server.url},
		reconfigure: async (next) => {
			const took = transmission.take(next);
			if (took) {
				await output.reopen();
				carousel.retune();
				await announcer.announce();
				logger.info({rateBps: transmission.rateBps, satellite: next.network.satellite}, 'the transponder has changed');
			}
			return took;
		},
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
};

/** A headend without its output is mute; the supervisor starts one that speaks. */
const endRole = (): void => {
	process.exitCode = 1;
	process.kill(process.pid, 'SIGTERM');
};

const mountStore = (
	router: Router,
	options: {
		readonly context: RoleContext<HeadendConfig>;
		readonly store: CatalogueStore;
		readonly channels: ChannelRegistry;
		readonly carousel: Carousel;
		readonly clock: Clock;
		readonly signal: AbortSignal;
	},
): void => {
	const {store, channels, carousel, clock, signal} = options;
	const {config} = options.context;
	const {objectBaseUri} = config.operator;
	const {catalogue, uploads} = store;
	mountCatalogueFeed(router, {catalogue, signal});
	mountCatalogue(router, {
		...{catalogue, uploads, clock, objectBaseUri},
		objectBytesMax: config.catalogue.objectBytesMax,
		planOf: (path) => {
			const entry = catalogue.get(path);
			return entry === undefined ? {fits: false} : carousel.planner.verdictOn(entry);
		},
	});
	mountIngest(router, {catalogue, uploads, channels, clock, config: config.ingest, objectBaseUri});
};

const serve = async (router: Router, {config, logger}: RoleContext<HeadendConfig>): Promise<HttpListener> => {
	const app = createApp({logger: logger.child({component: 'http'})});
	app.use(pageAssets({directory: join(projectRoot, 'headend/page'), prefix: '/assets/'}));
	app.use(router.routes());
	const server = await listen({handler: app.callback(), ...config.listen});
	// ffmpeg closes its connection right after the last byte of a segment and waits for no answer; Node would then throw
	// away what of the body has not been read yet.
	Object.assign(server.server, {httpAllowHalfOpen: true});
	return server;
};
