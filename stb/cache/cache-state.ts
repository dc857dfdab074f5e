import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {CacheIndex} from '#stb/cache/cache-index.ts';
import {type CacheLayout, objectPath} from '#stb/cache/cache-layout.ts';
import type {CachedObject, StoredObject} from '#stb/cache/cached-object.ts';
import {removeFiles} from '#stb/cache/recover-objects.ts';
import type {SerialQueue} from '#stb/cache/serial-queue.ts';
import {freshForMsMin, type WebTree} from '#stb/cache/web-tree.ts';

/**
 * What the parts of the cache share. Invariants: files in `objects`, rows of the index and `usedBytes` change only
 * within `queue`, one task at a time; readers need no turn, since a row is read and a file opened in one step each.
 */
export type CacheState = {
	readonly layout: CacheLayout;
	readonly logger: Logger;
	readonly clock: Clock;
	readonly queue: SerialQueue;
	readonly web: WebTree | undefined;
	readonly budgetBytes: number;
	readonly objectExpiryMs: number;
	readonly diskReserveBytes: number;
	/** Replaced when it turns out to be damaged, within the queue. */
	index: CacheIndex;
	/** Makes an index tell of damage. */
	readonly guard: (index: CacheIndex) => CacheIndex;
	/** Uses not yet in the index: a disk write per hit would wear the flash out. */
	readonly touches: Map<string, number>;
	/** When each object of limited freshness must leave the web tree. */
	readonly staleAtMs: Map<string, number>;
	usedBytes: number;
	/** Of commits under way. */
	reservedBytes: number;
	generation: number;
	objects: number;
	evictions: number;
	expirations: number;
	commits: number;
};

export const cachedObjectOf = (state: CacheState, {generation, ...facts}: StoredObject): CachedObject => ({
	...facts,
	lastUsedMs: Math.max(facts.lastUsedMs, state.touches.get(facts.uri) ?? 0),
	filePath: objectPath(state.layout, generation),
});

export const flushTouches = (state: CacheState): void => {
	if (state.touches.size > 0) {
		state.index.touch(state.touches);
		state.touches.clear();
	}
};

/** Lets nginx serve the object while it needs no decision. Within the queue. */
export const showInWeb = async (state: CacheState, object: StoredObject): Promise<void> => {
	if (state.web === undefined) {
		return;
	}
	const {uri, freshUntilMs} = object;
	const mayShow = freshUntilMs === undefined || freshUntilMs - state.clock.nowMs() >= freshForMsMin;
	const shown = mayShow && (await state.web.show(object, objectPath(state.layout, object.generation)));
	if (!shown) {
		// An older version may stand there.
		await state.web.hide(uri);
	}
	if (shown && freshUntilMs !== undefined) {
		state.staleAtMs.set(uri, freshUntilMs);
	} else {
		state.staleAtMs.delete(uri);
	}
};

/** Removes objects: the view first, then the files, then the rows, so that a crash between leaves no lie. In the queue. */
export const dropObjects = async (state: CacheState, objects: readonly StoredObject[]): Promise<void> => {
	for (const object of objects) {
		await state.web?.hide(object.uri);
		await removeFiles(state.layout, object.generation);
	}
	state.index.delete(objects.map(({uri}) => uri));
	// Counted last: rows that a full disk kept are dropped again later, and must not be counted twice then.
	for (const object of objects) {
		state.usedBytes -= object.sizeBytes;
		state.objects -= 1;
		state.touches.delete(object.uri);
		state.staleAtMs.delete(object.uri);
	}
};

/**
 * Enters whole, durable files into the index and the view, and removes what they replace. Of one URI the highest
 * generation stays, whichever was durable first. In the queue.
 */
export const enterObjects = async (state: CacheState, entered: readonly StoredObject[]): Promise<void> => {
	const latest = new Map<string, StoredObject>();
	const superseded: StoredObject[] = [];
	let addedBytes = 0;
	let addedObjects = 0;
	for (const object of entered) {
		const other = latest.get(object.uri) ?? state.index.find(object.uri);
		if (other !== undefined && other.generation > object.generation) {
			superseded.push(object);
			continue;
		}
		addedBytes += object.sizeBytes - (other?.sizeBytes ?? 0);
		if (other === undefined) {
			addedObjects += 1;
		} else {
			superseded.push(other);
		}
		latest.set(object.uri, object);
	}
	state.index.put([...latest.values()]);
	state.usedBytes += addedBytes;
	state.objects += addedObjects;
	for (const object of latest.values()) {
		await showInWeb(state, object);
	}
	for (const {generation} of superseded) {
		await removeFiles(state.layout, generation).catch((error: unknown) => {
			state.logger.warn({err: error, generation}, 'a replaced object stays on the disk until the next start');
		});
	}
};
