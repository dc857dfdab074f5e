import {type CacheState, dropObjects, flushTouches} from '#stb/cache/cache-state.ts';
import type {StoredObject} from '#stb/cache/cached-object.ts';
import {planRoom, type RoomRequest} from '#stb/cache/room.ts';

const expiredPerTurnMax = 200;

/** Executes an eviction plan. Within the queue; answers false when the request cannot fit. */
export const evictFor = async (state: CacheState, request: RoomRequest): Promise<boolean> => {
	try {
		flushTouches(state);
	} catch (error) {
		// A full disk must not keep the cache from making room on it; the order of use is then a little older.
		state.logger.debug({err: error}, 'the order of use could not be written');
	}
	const plan = await planRoom(request, {...state, usedBytes: state.usedBytes + state.reservedBytes});
	if (plan.kind === 'impossible') {
		await dropExpired(state);
		const again = await planRoom(request, {...state, usedBytes: state.usedBytes + state.reservedBytes});
		if (again.kind === 'impossible') {
			return false;
		}
		await evict(state, again.uris);
		return true;
	}
	await evict(state, plan.uris);
	return true;
};

const evict = async (state: CacheState, uris: readonly string[]): Promise<void> => {
	const objects = uris.map((uri) => state.index.find(uri)).filter((object) => object !== undefined);
	await dropObjects(state, objects);
	state.evictions += objects.length;
};

/** Drops what has expired, pinned or not. Within the queue. */
export const dropExpired = async (state: CacheState): Promise<void> => {
	let expired: readonly StoredObject[];
	do {
		expired = state.index.expired({nowMs: state.clock.nowMs(), limit: expiredPerTurnMax});
		await dropObjects(state, expired);
		state.expirations += expired.length;
	} while (expired.length === expiredPerTurnMax);
};

/** Takes out of the web tree what has become stale. Within the queue. */
export const hideStale = async (state: CacheState): Promise<void> => {
	const nowMs = state.clock.nowMs();
	for (const [uri, staleMs] of state.staleAtMs) {
		if (staleMs <= nowMs) {
			state.staleAtMs.delete(uri);
			const object = state.index.find(uri);
			if (object !== undefined) {
				await state.web?.hide(object.uri);
			}
		}
	}
};
