import {type FileHandle, mkdir, open, rm} from 'node:fs/promises';
import type {Priority} from '#appliance/contract/catalogue-schema.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {type CacheOptions, cacheDefaults} from '#stb/cache/cache-config.ts';
import type {CacheIndex} from '#stb/cache/cache-index.ts';
import type {CacheLayout} from '#stb/cache/cache-layout.ts';
import {type CacheState, cachedObjectOf, dropObjects, flushTouches} from '#stb/cache/cache-state.ts';
import {type CachedObject, type CommitRequest, isExpired} from '#stb/cache/cached-object.ts';
import {asCacheError, type Committer, createCommitter, writeSidecar} from '#stb/cache/commit-object.ts';
import {dropExpired, evictFor, hideStale} from '#stb/cache/evict.ts';
import {guardIndex} from '#stb/cache/guard-index.ts';
import {healQuickly, healSlowly} from '#stb/cache/heal-cache.ts';
import type {CacheStats, ObjectCache} from '#stb/cache/object-cache.ts';
import {openOrRebuild} from '#stb/cache/open-or-rebuild.ts';
import {rebuildIndex} from '#stb/cache/rebuild-index.ts';
import {type Renewal, renewObject} from '#stb/cache/renew-object.ts';
import {createSerialQueue} from '#stb/cache/serial-queue.ts';
import {createWebTree} from '#stb/cache/web-tree.ts';
import type {StbErrorCode} from '#stb/error-code.ts';

const sweepIntervalMs = 1000;
const touchFlushIntervalMs = 5000;
/** Uses kept in memory until then; more than these are flushed at once. */
const touchesMax = 10_000;
const listLimitMax = 1000;
const pageObjects = 500;

export type DiskObjectCacheOptions = CacheOptions & {readonly layout: CacheLayout; readonly logger: Logger};

/** Wires the parts of the cache; the invariants stand at CacheState. */
export class DiskObjectCache implements ObjectCache {
	readonly layout: CacheLayout;
	readonly #options: DiskObjectCacheOptions;
	readonly #queue = createSerialQueue();
	readonly #closing = new AbortController();
	#state: CacheState | undefined;
	#committer: Committer = () => Promise.reject(closedError());
	#healing: Promise<void> = Promise.resolve();
	#timers: NodeJS.Timeout[] = [];

	constructor(options: DiskObjectCacheOptions) {
		this.layout = options.layout;
		this.#options = options;
	}

	start = async ({signal}: {readonly signal: AbortSignal}): Promise<void> => {
		const {layout, logger, webTree = true} = this.#options;
		await rm(layout.incoming, {recursive: true, force: true});
		await mkdir(layout.objects, {recursive: true});
		await mkdir(layout.incoming, {recursive: true});
		signal.throwIfAborted();
		const web = createWebTree({directory: layout.www, logger});
		await web.clear();
		const guard = (index: CacheIndex): CacheIndex => guardIndex(index, (error) => this.#rebuild(error));
		const state: CacheState = {
			layout,
			logger,
			clock: this.#options.clock ?? systemClock,
			queue: this.#queue,
			web: webTree ? web : undefined,
			budgetBytes: this.#options.budgetBytes ?? cacheDefaults.budgetBytes,
			objectExpiryMs: this.#options.objectExpiryMs ?? cacheDefaults.objectExpiryMs,
			diskReserveBytes: this.#options.diskReserveBytes ?? cacheDefaults.diskReserveBytes,
			index: guard(await openOrRebuild(layout.index, logger)),
			guard,
			touches: new Map(),
			staleAtMs: new Map(),
			usedBytes: 0,
			reservedBytes: 0,
			generation: 0,
			objects: 0,
			evictions: 0,
			expirations: 0,
			commits: 0,
		};
		try {
			const unknown = await healQuickly(state);
			this.#healing = healSlowly(state, unknown, {signal: AbortSignal.any([signal, this.#closing.signal])});
		} catch (error) {
			state.index[Symbol.dispose]();
			throw error;
		}
		this.#state = state;
		this.#committer = createCommitter(state);
		this.#timers = [
			setInterval(() => this.#sweep(state), sweepIntervalMs).unref(),
			setInterval(() => this.#flush(state), touchFlushIntervalMs).unref(),
		];
	};

	healed = (): Promise<void> => this.#healing;

	get = (uri: string): CachedObject | undefined => {
		const object = this.peek(uri);
		if (object !== undefined) {
			this.touch(uri, this.#running().clock.nowMs());
		}
		return object;
	};

	peek = (uri: string): CachedObject | undefined => {
		const state = this.#running();
		const object = state.index.find(uri);
		return object === undefined || isExpired(object, state.clock.nowMs()) ? undefined : cachedObjectOf(state, object);
	};

	touch = (uri: string, usedMs: number): void => {
		const state = this.#running();
		state.touches.set(uri, Math.max(usedMs, state.touches.get(uri) ?? 0));
		if (state.touches.size > touchesMax) {
			this.#flush(state);
		}
	};

	commit = async (request: CommitRequest): Promise<CachedObject> => {
		try {
			const state = this.#running();
			const object = await this.#committer(request);
			return cachedObjectOf(state, object);
		} catch (error) {
			await rm(request.filePath, {force: true});
			throw asCacheError(error);
		}
	};

	renew = async (renewal: Renewal): Promise<boolean> => await renewObject(this.#running(), renewal);

	open = async (uri: string): Promise<{object: CachedObject; handle: FileHandle} | undefined> => {
		// Between the row and the file a replacement may come; the second look finds the newer one.
		for (let attempt = 0; attempt < 2; attempt++) {
			const object = this.get(uri);
			if (object === undefined) {
				return undefined;
			}
			try {
				return {object, handle: await open(object.filePath, 'r')};
			} catch (error) {
				if (!hasCode(error, 'ENOENT')) {
					throw error;
				}
			}
		}
		return undefined;
	};

	pin = (uri: string): Promise<boolean> => this.#setPinned(uri, true);

	unpin = (uri: string): Promise<boolean> => this.#setPinned(uri, false);

	remove = async (uri: string): Promise<boolean> => {
		const state = this.#running();
		return await state.queue(async () => {
			const object = state.index.find(uri);
			await dropObjects(state, object === undefined ? [] : [object]);
			return object !== undefined;
		});
	};

	purge = async ({prefix}: {readonly prefix: string}): Promise<number> => {
		const state = this.#running();
		let count = 0;
		for (;;) {
			const dropped = await state.queue(async () => {
				const found = state.index.find(prefix);
				const page = state.index.page({after: prefix, limit: pageObjects});
				const matching = [...(found === undefined ? [] : [found]), ...page].filter(({uri}) => uri.startsWith(prefix));
				await dropObjects(state, matching);
				return matching.length;
			});
			count += dropped;
			if (dropped === 0) {
				return count;
			}
		}
	};

	list = ({after = '', limit}: {readonly after?: string; readonly limit: number}): readonly CachedObject[] => {
		const state = this.#running();
		const page = state.index.page({after, limit: Math.min(limit, listLimitMax)});
		return page.map((object) => cachedObjectOf(state, object));
	};

	makeRoom = async (bytes: number, {priority = 'high'}: {readonly priority?: Priority} = {}): Promise<boolean> => {
		const state = this.#running();
		return (
			bytes <= state.budgetBytes && (await state.queue(() => evictFor(state, {bytes, unwrittenBytes: bytes, priority})))
		);
	};

	stats = (): CacheStats => {
		const {objects, usedBytes, budgetBytes, evictions, expirations, commits} = this.#running();
		return {objects, bytes: usedBytes, budgetBytes, evictions, expirations, commits};
	};

	async [Symbol.asyncDispose](): Promise<void> {
		const state = this.#state;
		this.#closing.abort(closedError());
		for (const timer of this.#timers.splice(0)) {
			clearInterval(timer);
		}
		if (state !== undefined) {
			await this.#healing;
			await state.queue(async () => undefined);
			this.#state = undefined;
			// A disk that is full or damaged must not keep the box from stopping.
			this.#flush(state);
			state.index[Symbol.dispose]();
		}
	}

	#running(): CacheState {
		if (this.#state === undefined) {
			throw closedError();
		}
		return this.#state;
	}

	async #setPinned(uri: string, pinned: boolean): Promise<boolean> {
		const state = this.#running();
		return await state.queue(async () => {
			const object = state.index.find(uri);
			if (object === undefined) {
				return false;
			}
			await writeSidecar(state, {...object, pinned});
			state.index.pin(uri, pinned);
			return true;
		});
	}

	/** Damage is met in the middle of a read or a write; the box serves on, and what is on the disk is found anew. */
	#rebuild(error: unknown): void {
		const {logger} = this.#options;
		logger.error({err: error}, 'the index of the cache is damaged; it is made anew from the objects');
		const {signal} = this.#closing;
		const before = this.#healing;
		const rebuilt = async (): Promise<void> => {
			await before;
			if (this.#state !== undefined && !signal.aborted) {
				await rebuildIndex(this.#state, {signal});
			}
		};
		this.#healing = rebuilt().catch((failure: unknown) => {
			logger.error({err: failure}, 'the index could not be made anew; the next start tries again');
		});
	}

	#sweep(state: CacheState): void {
		void state
			.queue(async () => {
				await dropExpired(state);
				await hideStale(state);
			})
			.catch((error: unknown) => state.logger.error({err: error}, 'the cache could not drop what has expired'));
	}

	#flush(state: CacheState): void {
		try {
			flushTouches(state);
		} catch (error) {
			state.logger.warn({err: error}, 'the order of use was not kept');
		}
	}
}

const closedError = (): CodedError<StbErrorCode> =>
	new CodedError<StbErrorCode>('STB_CACHE_CLOSED', {message: 'The cache is not open.', details: {status: 503}});
