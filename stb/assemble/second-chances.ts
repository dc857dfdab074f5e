import type {Clock} from '#appliance/time/clock.ts';
import type {FluteReceiver} from '#native/flute/receiver.ts';
import type {ArrivalFacts} from '#stb/assemble/describe-arrival.ts';
import {createSkippedObjects, type SkippedObject} from '#stb/assemble/skipped-objects.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';

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
	readonly clock: Clock;
}): SecondChances => {
	const {receiver, cache, clock} = options;
	const skipped = createSkippedObjects();
	return {
		remember: ({object, uri, kind}, reason) => {
			// Signalling that is whole stays whole; only when it failed is it to be heard again.
			if (kind === 'content' || reason === 'failed') {
				const {group, port, tsi, toi, transferLength: sizeBytes} = object;
				const afterMs = clock.monotonicMs() + (reason === 'failed' ? failedPauseMs : 0);
				skipped.remember({key: {group, port, tsi, toi}, ...{uri, sizeBytes, reason, afterMs}});
			}
		},
		forget: (uri) => {
			skipped.forget(uri);
		},
		reconsider: (arrivingBytes) => {
			const nowMs = clock.monotonicMs();
			const {bytes, budgetBytes} = cache.stats();
			let roomBytes = budgetBytes - bytes - arrivingBytes;
			const worth = ({reason, afterMs, uri, sizeBytes}: SkippedObject): boolean => {
				if (afterMs > nowMs || cache.peek(uri) !== undefined) {
					return false;
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
