import type {Clock} from '#appliance/time/clock.ts';
import type {ArrivalFacts} from '#stb/assemble/describe-arrival.ts';
import type {TaskSet} from '#stb/assemble/task-set.ts';
import {renewalOf} from '#stb/assemble/want-arrival.ts';
import type {CachedObject} from '#stb/cache/cached-object.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';

/** What the carousel's description of an object means for the cache, apart from storing it. */
export type CacheUpkeep = {
	/** What is listed again with later dates is not received again for them. */
	renew(facts: ArrivalFacts, cached: CachedObject | undefined): void;
	/** The disk was full before the cache's budget was: something of less worth goes, and the next transmission fits. */
	makeRoom(facts: ArrivalFacts, code: string): void;
};

export const createCacheUpkeep = (options: {
	readonly cache: Pick<ObjectCache, 'renew' | 'makeRoom'>;
	readonly tasks: TaskSet;
	readonly clock: Clock;
}): CacheUpkeep => {
	const {cache, tasks, clock} = options;
	return {
		renew: (facts, cached) => {
			const renewal = renewalOf(facts, cached, clock.nowMs());
			if (renewal !== undefined) {
				tasks.run(cache.renew(renewal));
			}
		},
		makeRoom: ({object, priority}, code) => {
			if (code === 'NATIVE_FLUTE_NO_SPACE') {
				tasks.run(cache.makeRoom(object.transferLength, {priority}));
			}
		},
	};
};
