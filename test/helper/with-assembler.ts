import {createHash} from 'node:crypto';
import type {ExecutionContext} from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import type {FluteEvent} from '#native/flute/receiver-event.ts';
import {Assembler} from '#stb/assemble/assembler.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import {stbConfigSchema} from '#stb/config-schema.ts';
import {createRepairer} from '#stb/repair/repairer.ts';
import {FakeReceiver} from '#test/fake/fake-receiver.ts';
import {withObjectCache} from '#test/helper/with-object-cache.ts';

export type TestAssembler = {
	readonly assembler: Assembler;
	readonly receiver: FakeReceiver;
	readonly cache: ObjectCache;
	readonly signalling: string[];
	say(...events: readonly FluteEvent[]): void;
	/** Waits until the URI has settled, and answers the bytes that the cache has for it. */
	stored(uri: string): Promise<Buffer | undefined>;
};

/** An assembler between a receiver that the test plays and a real cache. */
export const withAssembler = async (
	t: ExecutionContext,
	options: {readonly repairUrl?: string; readonly budgetBytes?: number; readonly clock?: typeof systemClock} = {},
): Promise<TestAssembler> => {
	const {repairUrl, budgetBytes = 10_000_000, clock = systemClock} = options;
	const cache = await withObjectCache(t, {budgetBytes});
	const receiver = new FakeReceiver(cache.layout.incoming);
	const config = stbConfigSchema.parse({
		cache: {budgetBytes},
		repair: {retryDelayMinMs: 10, retryDelayMaxMs: 20, attemptsMax: 2, waitingStallMs: 20, waitingPatienceMs: 60},
	});
	const signalling: string[] = [];
	const servers = repairUrl === undefined ? [] : [{url: repairUrl, weight: 1}];
	const assembler = new Assembler({
		...{config, receiver, cache, clock},
		repairer: createRepairer({config: config.repair, clock, logger: silentLogger()}),
		repairSourceOf: () =>
			servers.length === 0
				? undefined
				: {objectBaseUri: config.objectBaseUri, servers, fixedBackOffMs: 0, randomBackOffMs: 0},
		onSignalling: ({uri, bytes}) => signalling.push(`${uri} ${bytes.toString()}`),
		alsoSignalling: (uri) => uri.endsWith('/titles.json'),
		onReceiverFailed: ({code}) => signalling.push(`failed ${code}`),
		logger: silentLogger(),
	});
	t.teardown(() => assembler[Symbol.asyncDispose]());
	return {
		...{assembler, receiver, cache, signalling},
		say: (...events) => assembler.handle(events),
		stored: async (uri) => {
			await assembler.arrivals.settled(uri, {signal: AbortSignal.timeout(20_000)});
			const opened = await cache.open(uri);
			if (opened === undefined) {
				return undefined;
			}
			await using handle = opened.handle;
			return await handle.readFile();
		},
	};
};

export const tagOf = (bytes: Buffer): string => `"${createHash('sha256').update(bytes).digest('hex')}"`;
