import type {FileHandle} from 'node:fs/promises';
import type {ObjectUri} from '#appliance/contract/object-uri.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {PopNodeErrorCode} from '#pop-node/error-code.ts';
import type {Fetcher} from '#pop-node/ingest/fetcher.ts';
import type {StoreEntry} from '#pop-node/store/catalogue-table.ts';
import type {ObjectStore} from '#pop-node/store/object-store.ts';

/** Paths whose last look at the headend is remembered; beyond it all are forgotten, which only costs a look. */
const looksRememberedMax = 10_000;
/** A headend that cannot be reached is known by then, most of the time, and told as that. */
const beginWaitMs = 300;

export type StoredObject = {
	readonly entry: StoreEntry;
	readonly handle: FileHandle;
	readonly origin: 'stored' | 'pulled';
};
/** Large, and not here yet: its bytes are passed on as they come. */
export type ArrivingObject = {readonly entry: StoreEntry; readonly origin: 'passed'};
export type FoundObject = StoredObject | ArrivingObject;

export type FindOptions = {
	readonly store: ObjectStore;
	readonly fetcher: Fetcher;
	readonly clock: Clock;
	readonly pullTimeoutMs: number;
	readonly revalidateIntervalMs: number;
	readonly passThroughBytesMin: number;
	/** Whether no more objects can be passed through now. */
	readonly isFull: () => boolean;
};

export type FindObject = (request: {
	readonly uri: ObjectUri;
	/** Relative to the operator's base URI, percent-encoded, as in the catalogue. */
	readonly path: string;
	/** The client names a version (If-Range, If-Match); if we have another, the headend may have that one. */
	readonly wantedTags: string;
}) => Promise<FoundObject>;

/**
 * Finds the newest version of an object that can be had: what is stored if it is fresh, what the headend has otherwise,
 * and what is stored after all if the headend cannot be reached, because to a set-top an old manifest is better than none.
 * @throws CodedError HTTP_NOT_FOUND, HTTP_UPSTREAM_TIMEOUT, POP_NODE_HEADEND_UNREACHABLE, POP_NODE_STORE_FULL
 */
export const createFindObject = (options: FindOptions): FindObject => {
	const {store, fetcher, clock, pullTimeoutMs, revalidateIntervalMs, passThroughBytesMin} = options;
	const looks = new Map<string, number>();

	const mayLook = (path: string): boolean => {
		const nowMs = clock.monotonicMs();
		const lastMs = looks.get(path);
		if (lastMs !== undefined && nowMs - lastMs < revalidateIntervalMs) {
			return false;
		}
		if (looks.size >= looksRememberedMax) {
			looks.clear();
		}
		looks.set(path, nowMs);
		return true;
	};

	const pull = (uri: ObjectUri, path: string, known: StoreEntry | undefined): Promise<void> =>
		within(pullTimeoutMs, fetcher.pull({path, uri, ...(known === undefined ? {} : {known})}));

	const bring = async (uri: ObjectUri, path: string, known: StoreEntry | undefined): Promise<void> => {
		// A version that the catalogue has told of is fetched by its digest; anything else by its path.
		const isAnnounced = known !== undefined && known.stored?.sha256 !== known.sha256;
		if (isAnnounced) {
			await within(pullTimeoutMs, fetcher.fetch(known, 'asked'));
		} else if (fetcher.isPulling(path) || mayLook(path)) {
			await pull(uri, path, known);
		}
	};

	const openEntry = async (uri: ObjectUri, origin: StoredObject['origin']): Promise<StoredObject | undefined> => {
		const entry = store.table.findByUri(uri);
		if (entry?.stored === undefined || (entry.expiresMs ?? Number.POSITIVE_INFINITY) <= clock.nowMs()) {
			return undefined;
		}
		const handle = await store.open(entry);
		return handle === undefined ? undefined : {entry, handle, origin};
	};

	return async ({uri, path, wantedTags}) => {
		const known = store.table.findByUri(uri);
		if (known !== undefined && isCurrent(known, wantedTags, clock.nowMs())) {
			const found = await openEntry(uri, 'stored');
			if (found !== undefined) {
				return found;
			}
		}
		let failure: unknown;
		let arriving: ArrivingObject | undefined;
		try {
			if (known !== undefined && known.sizeBytes >= passThroughBytesMin && known.stored?.sha256 !== known.sha256) {
				arriving = await begin(known, options);
			} else {
				await bring(uri, path, store.table.findByUri(uri));
			}
		} catch (error) {
			failure = error;
		}
		if (hasCode(failure, 'POP_NODE_OBJECT_CHANGED')) {
			// The catalogue’s news are still on their way: what the headend has now is asked for by its path.
			failure = await pull(uri, path, known).catch((error: unknown) => error);
		}
		const found = await openEntry(uri, failure === undefined ? 'pulled' : 'stored');
		if (found !== undefined && (arriving === undefined || found.entry.stored?.sha256 === arriving.entry.sha256)) {
			return found;
		}
		if (arriving !== undefined) {
			await found?.handle.close();
			return arriving;
		}
		throw failure ?? new CodedError('HTTP_NOT_FOUND', {message: 'Neither this pop-node nor the headend has it.'});
	};
};

/** Starts the download and answers once it runs, has ended, has no room, or is slow to begin. */
const begin = async (known: StoreEntry, {fetcher, isFull}: FindOptions): Promise<ArrivingObject> => {
	if (isFull()) {
		throw new CodedError<PopNodeErrorCode>('POP_NODE_STORE_BUSY', {
			message: 'Too many objects are passed through at this moment; ask again shortly.',
			details: {path: known.path, status: 503},
			retryable: true,
		});
	}
	if (fetcher.arrivedBytes(known.sha256) !== undefined) {
		return {entry: known, origin: 'passed'};
	}
	const fetching = fetcher.fetch(known, 'asked').catch((error: unknown) => {
		if (!hasCode(error, 'POP_NODE_STORE_FULL', 'POP_NODE_STORE_BUSY', 'POP_NODE_OBJECT_TOO_LARGE')) {
			throw error;
		}
	});
	const over = new AbortController();
	await Promise.race([fetching, sleep(beginWaitMs, {signal: over.signal}).catch(() => undefined)]).finally(() =>
		over.abort(),
	);
	return {entry: known, origin: 'passed'};
};

const isCurrent = (entry: StoreEntry, wantedTags: string, nowMs: number): boolean =>
	entry.stored !== undefined &&
	entry.stored.sha256 === entry.sha256 &&
	(entry.freshUntilMs ?? Number.POSITIVE_INFINITY) > nowMs &&
	(!wantedTags.includes('"') || wantedTags.includes(entry.stored.sha256));

/** The download goes on for the next who asks; only this client stops waiting. */
const within = async (timeoutMs: number, work: Promise<unknown>): Promise<void> => {
	const timeout = AbortSignal.timeout(timeoutMs);
	const {promise, reject} = Promise.withResolvers<never>();
	const expire = (): void =>
		reject(
			new CodedError('HTTP_UPSTREAM_TIMEOUT', {
				message: 'The headend is too slow; ask again shortly, the object is being fetched.',
				details: {timeoutMs},
				retryable: true,
			}),
		);
	timeout.addEventListener('abort', expire);
	try {
		await Promise.race([work, promise]);
	} finally {
		timeout.removeEventListener('abort', expire);
	}
};
