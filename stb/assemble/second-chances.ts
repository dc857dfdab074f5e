import type {Clock} from '#appliance/time/clock.ts';
import type {FluteReceiver} from '#native/flute/receiver.ts';
import type {ArrivalFacts} from '#stb/assemble/describe-arrival.ts';
import {createSkippedObjects, type SkippedObject} from '#stb/assemble/skipped-objects.ts';
import type {CachedObject} from '#stb/cache/cached-object.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';

/**
 * An object in the last share of its time in the cache is asked about: the receiver tells it again if the FDT still lists
 * it, and then its expiry is extended in place. Not more often than the smaller share, for one whose sender set its end.
 */
const renewWindowShare = 1 / 4;
const renewPauseShare = 1 / 24;
/** Asked about in one turn; each is told again with a file of its own, which is dropped at once. */
const renewalsMax = 50;

/** After an arrival failed, its next transmission is given another chance this much later. */
const failedPauseMs = 10_000;

export type SecondChances = {
	/** Notes a transmission that the receiver ignores from now on: it is in the cache, has no room, or has failed. */
	remember(facts: ArrivalFacts, reason: SkippedObject['reason']): void;
	/** A new transmission of the URI has come. */
	forget(uri: string): void;
	/** Has the receiver take anew what the cache no longer holds and has room for, and what failed a while ago. */
	reconsider(arrivingBytes: number): void;
};

export const createSecondChances = (options: {
	readonly receiver: Pick<FluteReceiver, 'forget'>;
	readonly cache: Pick<ObjectCache, 'peek' | 'stats'>;
	/** How long an object stays that brings no expiry. */
	readonly objectExpiryMs: number;
	readonly clock: Clock;
}): SecondChances => {
	const {receiver, cache, clock, objectExpiryMs} = options;
	const skipped = createSkippedObjects();
	return {
		remember: ({object, uri, kind}, reason) => {
			// Signalling that is whole stays whole; only when it failed is it to be heard again.
			if (kind === 'content' || reason === 'failed') {
				const {group, port, tsi, toi, transferLength: sizeBytes} = object;
				const afterMs = clock.monotonicMs() + (reason === 'failed' ? failedPauseMs : 0);
				const askAfterMs = clock.monotonicMs() + objectExpiryMs * renewPauseShare;
				skipped.remember({key: {group, port, tsi, toi}, ...{uri, sizeBytes, reason, afterMs, askAfterMs}});
			}
		},
		forget: (uri) => {
			skipped.forget(uri);
		},
		reconsider: (arrivingBytes) => {
			const nowMs = clock.monotonicMs();
			const {bytes, budgetBytes} = cache.stats();
			let roomBytes = budgetBytes - bytes - arrivingBytes;
			let renewals = 0;
			const isEnding = ({expiresMs}: Pick<CachedObject, 'expiresMs'>): boolean =>
				expiresMs !== undefined && expiresMs - clock.nowMs() < objectExpiryMs * renewWindowShare;
			const worth = ({reason, afterMs, askAfterMs, uri, sizeBytes}: SkippedObject): boolean => {
				if (afterMs > nowMs) {
					return false;
				}
				const held = cache.peek(uri);
				if (held !== undefined) {
					const ask = reason === 'cached' && askAfterMs <= nowMs && renewals < renewalsMax && isEnding(held);
					renewals += ask ? 1 : 0;
					return ask;
				}
				const fits = reason === 'failed' || sizeBytes <= roomBytes;
				roomBytes -= fits ? sizeBytes : 0;
				return fits;
			};
			for (const {key} of skipped.take(worth)) {
				receiver.forget(key);
			}
		},
	};
};
