import {signallingPaths} from '#appliance/contract/gateway-session.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {type FluteEvent, type FluteReceiver, openFluteReceiver} from '#native/flute/receiver.ts';
import {Assembler} from '#stb/assemble/assembler.ts';
import {signallingBytesMax} from '#stb/assemble/store-arrival.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import type {StbConfig} from '#stb/config-schema.ts';
import {createSignallingStore, type SignallingStore} from '#stb/receive/signalling-store.ts';
import {type Carriage, createTuning, type Tuning} from '#stb/receive/tuning.ts';
import {createRepairer, type Repairer} from '#stb/repair/repairer.ts';

export type Reception = AsyncDisposable & {
	readonly receiver: FluteReceiver;
	readonly assembler: Assembler;
	readonly repairer: Repairer;
	readonly signalling: SignallingStore;
	readonly tuning: Tuning;
};

/** How often skipped, failed and unseen objects, and sessions that could not be joined, are looked at anew. */
const reconsiderIntervalMs = 1000;

/** Wires receiver, tuning, repair and assembly together and tunes to the announcement. */
export const startReception = async (options: {
	readonly config: StbConfig;
	readonly cache: ObjectCache;
	readonly carriage?: Carriage | undefined;
	readonly clock: Clock;
	readonly logger: Logger;
}): Promise<Reception> => {
	const {config, cache, carriage, clock, logger} = options;
	await using stack = new AsyncDisposableStack();
	const {objectBaseUri} = config;
	const signalling = createSignallingStore({objectBaseUri, logger: logger.child({component: 'signalling'})});
	const documents = [signallingPaths.titles, signallingPaths.serviceList].map((path) => `${objectBaseUri}${path}`);
	await readCachedSignalling(cache, {signalling, documents, logger});
	// The receiver's thread may speak before the assembler that listens to it is made.
	const early: FluteEvent[] = [];
	let handle = (events: readonly FluteEvent[]): void => {
		early.push(...events);
	};
	const {objectIdleMs, progressIntervalMs, objectBytesMax, objectsOpenMax, receiveBufferBytes} = config.receive;
	const receiver = stack.use(
		openFluteReceiver({
			directory: cache.layout.incoming,
			limits: {objectBytesMax, objectsOpenMax, receiveBufferBytes, openBytesMax: config.cache.budgetBytes},
			...{objectIdleMs, progressIntervalMs},
			onEvents: (events) => handle(events),
		}),
	);
	const tuning = createTuning({receiver, signalling, config, carriage, logger: logger.child({component: 'tuning'})});
	const repairer = createRepairer({config: config.repair, clock, logger: logger.child({component: 'repair'})});
	const assembler = stack.use(
		new Assembler({
			...{config, receiver, cache, repairer, clock},
			repairSourceOf: tuning.repairSourceOf,
			onSignalling: (document) => {
				signalling.take(document);
				tuning.retune();
			},
			alsoSignalling: (uri) => documents.includes(uri),
			onReceiverFailed: (failure) => {
				// Without its receiver the box is blind; the supervisor starts a process that sees.
				logger.fatal({failure}, 'the receiver cannot go on');
				process.exitCode = 1;
				process.kill(process.pid, 'SIGTERM');
			},
			logger: logger.child({component: 'assemble'}),
		}),
	);
	handle = (events) => assembler.handle(events);
	assembler.handle(early);
	const stopped = new AbortController();
	const reconsider = (): void => {
		tuning.retune();
		assembler.reconsider();
	};
	const reconsidering = regularly(reconsider, logger, stopped.signal);
	stack.defer(async () => {
		stopped.abort();
		await reconsidering;
	});
	tuning.retune();
	const owned = stack.move();
	return {
		...{receiver, assembler, repairer, signalling, tuning},
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
};

/** Signalling that lies in the cache would be skipped when it comes again; so it is read from there. */
const readCachedSignalling = async (
	cache: ObjectCache,
	parts: {readonly signalling: SignallingStore; readonly documents: readonly string[]; readonly logger: Logger},
): Promise<void> => {
	for (const uri of parts.documents) {
		try {
			const opened = await cache.open(uri);
			await using handle = opened?.handle;
			if (opened !== undefined && handle !== undefined && opened.object.sizeBytes <= signallingBytesMax) {
				parts.signalling.take({uri, contentType: opened.object.contentType, bytes: await handle.readFile()});
			}
		} catch (error) {
			// It comes again by satellite; a box that does not start for it would help nobody.
			parts.logger.warn({err: error, uri}, 'cached signalling cannot be read');
		}
	}
};

const regularly = async (task: () => void, logger: Logger, signal: AbortSignal): Promise<void> => {
	while (!signal.aborted) {
		try {
			await sleep(reconsiderIntervalMs, {signal});
			task();
		} catch (error) {
			if (!signal.aborted) {
				logger.error({err: error}, 'sessions and skipped objects could not be looked at anew');
			}
		}
	}
};
