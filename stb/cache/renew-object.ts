import type {CacheState} from '#stb/cache/cache-state.ts';
import {showInWeb} from '#stb/cache/cache-state.ts';
import {isExpired, type StoredObject} from '#stb/cache/cached-object.ts';
import {writeSidecar} from '#stb/cache/commit-object.ts';

/** New dates for bytes that the box holds already. */
export type Renewal = {
	readonly uri: string;
	/** Of the bytes that the dates are for; others are left alone. */
	readonly sha256: string;
	/** An earlier one than that of now changes nothing. */
	readonly expiresMs?: number | undefined;
	/** Absent: fresh until it expires. */
	readonly freshUntilMs?: number | undefined;
};

/** Answers false when the object is not here any more, or is another version. */
export const renewObject = async (
	state: CacheState,
	{uri, sha256, expiresMs, freshUntilMs}: Renewal,
): Promise<boolean> =>
	await state.queue(async () => {
		const existing = state.index.find(uri);
		if (existing === undefined || existing.sha256 !== sha256 || isExpired(existing, state.clock.nowMs())) {
			return false;
		}
		const later = expiresMs !== undefined && existing.expiresMs !== undefined && expiresMs > existing.expiresMs;
		const object: StoredObject = {...existing, freshUntilMs, ...(later ? {expiresMs} : {})};
		if (later) {
			// Freshness need not survive a power cut: it is asked for again. An expiry must.
			await writeSidecar(state, object);
		}
		state.index.put([object]);
		await showInWeb(state, object);
		return true;
	});
