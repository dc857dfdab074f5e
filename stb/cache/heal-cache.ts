import {errorMessage} from '#appliance/error/coded-error.ts';
import {type CacheState, enterObjects, showInWeb} from '#stb/cache/cache-state.ts';
import type {StoredObject} from '#stb/cache/cached-object.ts';
import {dropExpired, evictFor} from '#stb/cache/evict.ts';
import {reconcile, removeFiles, verifyUnknown} from '#stb/cache/recover-objects.ts';

const pageObjects = 500;

/** Makes rows and files agree before anybody reads; answers the generations that only `healSlowly` can judge. */
export const healQuickly = async (state: CacheState): Promise<readonly number[]> => {
	const {unknown, generationMax, ...facts} = await reconcile(state.layout, state.index);
	const {objects, bytes} = state.index.totals();
	state.generation = generationMax;
	state.objects = objects;
	state.usedBytes = bytes;
	await dropExpired(state);
	state.logger.info(
		{...facts, objects: state.objects, bytes: state.usedBytes, toVerify: unknown.length},
		'cache started',
	);
	return unknown;
};

/** Links the view anew and reads what was in flight whole, while the box serves already. */
export const healSlowly = async (
	state: CacheState,
	unknown: readonly number[],
	{signal}: {readonly signal: AbortSignal},
): Promise<void> => {
	try {
		for (const generation of unknown) {
			const object = await verifyUnknown(state.layout, generation, {
				nowMs: state.clock.nowMs(),
				signal,
				logger: state.logger,
			});
			await state.queue(() => adoptOrRemove(state, generation, object));
		}
		await state.queue(async () => {
			await evictFor(state, {bytes: 0, unwrittenBytes: 0, priority: 'live'});
		});
		await linkAll(state, signal);
	} catch (error) {
		if (!signal.aborted) {
			state.logger.error({reason: errorMessage(error)}, 'the cache did not heal whole; the next start tries again');
		}
	}
};

const linkAll = async (state: CacheState, signal: AbortSignal): Promise<void> => {
	let after: string | undefined = '';
	while (after !== undefined) {
		signal.throwIfAborted();
		const from: string = after;
		after = await state.queue(async () => {
			const page = state.index.page({after: from, limit: pageObjects});
			for (const object of page) {
				await showInWeb(state, object);
			}
			return page.at(-1)?.uri;
		});
	}
};

/** A pair that no row names is taken in unless the index knows a newer version of the same URI. */
const adoptOrRemove = async (
	state: CacheState,
	generation: number,
	object: StoredObject | undefined,
): Promise<void> => {
	const known = object === undefined ? undefined : state.index.find(object.uri);
	if (object === undefined || (known !== undefined && known.generation > generation)) {
		await removeFiles(state.layout, generation);
	} else {
		await enterObjects(state, [object]);
	}
};
