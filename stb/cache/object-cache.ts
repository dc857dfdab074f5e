import type {FileHandle} from 'node:fs/promises';
import type {Priority} from '#appliance/contract/catalogue-schema.ts';
import type {CacheLayout} from '#stb/cache/cache-layout.ts';
import type {CachedObject, CommitRequest} from '#stb/cache/cached-object.ts';
import type {Renewal} from '#stb/cache/renew-object.ts';

export type CacheStats = {
	readonly objects: number;
	readonly bytes: number;
	readonly budgetBytes: number;
	readonly evictions: number;
	readonly expirations: number;
	readonly commits: number;
};

/**
 * The set-top's objects on its disk. What `commit` has answered survives kill -9 and power cuts; an object is seen by
 * nobody before that. Expiry outranks a pin: it is the end of the right to show the object.
 */
export type ObjectCache = AsyncDisposable & {
	readonly layout: CacheLayout;
	/** Heals what a crash left; must be awaited before anything else, and before anybody writes into `incoming`. */
	readonly start: (options: {readonly signal: AbortSignal}) => Promise<void>;
	/** Resolves when what was in flight at the last crash is verified and either adopted or removed. */
	readonly healed: () => Promise<void>;
	/** An object that has not expired (it may be stale: `isFresh`), counted as used now. */
	readonly get: (uri: string) => CachedObject | undefined;
	/** The same without counting as use. */
	readonly peek: (uri: string) => CachedObject | undefined;
	/** Counts as used, for who serves objects elsewhere (nginx). */
	readonly touch: (uri: string, usedMs: number) => void;
	/** @throws CodedError STB_CACHE_FULL, STB_CACHE_OBJECT_INVALID, STB_CACHE_CLOSED; the file is removed then. */
	readonly commit: (request: CommitRequest) => Promise<CachedObject>;
	/** The same bytes still hold: only dates change. False when other bytes, or none, are here. */
	readonly renew: (renewal: Renewal) => Promise<boolean>;
	/** An open file outlives eviction and replacement; the caller closes it. */
	readonly open: (uri: string) => Promise<{readonly object: CachedObject; readonly handle: FileHandle} | undefined>;
	readonly pin: (uri: string) => Promise<boolean>;
	readonly unpin: (uri: string) => Promise<boolean>;
	readonly remove: (uri: string) => Promise<boolean>;
	/** Removes every object whose URI begins so, pinned or not; answers how many. */
	readonly purge: (options: {readonly prefix: string}) => Promise<number>;
	readonly list: (options: {readonly after?: string; readonly limit: number}) => readonly CachedObject[];
	/** Frees bytes for an object about to be written, of budget and disk; false when that cannot be. */
	readonly makeRoom: (bytes: number, options?: {readonly priority?: Priority}) => Promise<boolean>;
	readonly stats: () => CacheStats;
};
