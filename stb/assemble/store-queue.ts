import {rm} from 'node:fs/promises';
import {errorCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {ArrivalRecord} from '#stb/assemble/arrival.ts';
import {priorityRank} from '#stb/assemble/describe-arrival.ts';
import {type SignallingSink, storeArrival} from '#stb/assemble/store-arrival.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import type {StbErrorCode} from '#stb/error-code.ts';
import {createRequestSlots} from '#stb/repair/request-slots.ts';

/** Objects that are decoded and committed at the same time; the cache makes those that come together durable at once. */
const storesConcurrentMax = 32;

export type StoreQueue = {
	/** Stores a whole arrival; answers why it could not be, if so. Rejects only when the box stops. */
	store(record: ArrivalRecord): Promise<{readonly kind: 'stored'} | {readonly kind: 'failed'; readonly code: string}>;
};

/** Versions of one URI are stored in the order in which they became whole; different URIs a few at a time. */
export const createStoreQueue = (options: {
	readonly cache: Pick<ObjectCache, 'commit'>;
	readonly onSignalling: SignallingSink;
	readonly alsoSignalling: (uri: string) => boolean;
	readonly logger: Logger;
	readonly signal: AbortSignal;
}): StoreQueue => {
	const {logger, signal} = options;
	const slots = createRequestSlots({slotsMax: storesConcurrentMax});
	const storing = new Map<string, Promise<void>>();
	const storeNow = async (record: ArrivalRecord): Promise<StbErrorCode | string | undefined> => {
		const {facts, whole, superseded} = record;
		if (whole === undefined) {
			return 'STB_ARRIVAL_GONE';
		}
		if (superseded) {
			await rm(whole.path, {force: true});
			return 'STB_ARRIVAL_SUPERSEDED';
		}
		try {
			const {sha256} = await storeArrival({...options, facts, whole});
			record.storedSha256 = sha256;
			return undefined;
		} catch (error) {
			signal.throwIfAborted();
			logger.warn({err: error, uri: facts.uri}, 'an object that arrived could not be stored');
			return errorCode(error) ?? 'STB_ARRIVAL_GONE';
		}
	};
	return {
		store: async (record) => {
			const {uri, priority} = record.facts;
			const before = storing.get(uri);
			const done = Promise.withResolvers<void>();
			storing.set(uri, done.promise);
			try {
				await before;
				using _slot = await slots.acquire({rank: priorityRank[priority], signal});
				const code = await storeNow(record);
				return code === undefined ? {kind: 'stored'} : {kind: 'failed', code};
			} finally {
				done.resolve();
				if (storing.get(uri) === done.promise) {
					storing.delete(uri);
				}
			}
		},
	};
};
