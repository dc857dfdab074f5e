import {readdir} from 'node:fs/promises';
import {type CacheLayout, parseFileName} from '#stb/cache/cache-layout.ts';
import type {CacheState} from '#stb/cache/cache-state.ts';
import {healSlowly} from '#stb/cache/heal-cache.ts';
import {moveDamagedAway, openOrRebuild} from '#stb/cache/open-or-rebuild.ts';

/**
 * Replaces an index that was found damaged while the box runs: an empty one takes its place at once, and every whole pair
 * of files is read, verified and entered while the box serves on. What commits meanwhile is entered as ever.
 */
export const rebuildIndex = async (state: CacheState, {signal}: {readonly signal: AbortSignal}): Promise<void> => {
	const {layout, logger} = state;
	const pairs = await state.queue(async () => {
		state.index[Symbol.dispose]();
		await moveDamagedAway(layout.index);
		state.index = state.guard(await openOrRebuild(layout.index, logger));
		state.usedBytes = 0;
		state.objects = 0;
		return await pairsIn(layout);
	});
	logger.info({toVerify: pairs.length}, 'the index of the cache is being made anew');
	await healSlowly(state, pairs, {signal});
};

/** Halves are left alone: a commit may be about to complete them. */
const pairsIn = async (layout: CacheLayout): Promise<readonly number[]> => {
	const seen = new Map<number, number>();
	for (const name of await readdir(layout.objects)) {
		const generation = parseFileName(name)?.generation;
		if (generation !== undefined) {
			seen.set(generation, (seen.get(generation) ?? 0) + 1);
		}
	}
	return [...seen]
		.filter(([, files]) => files === 2)
		.map(([generation]) => generation)
		.sort((a, b) => a - b);
};
