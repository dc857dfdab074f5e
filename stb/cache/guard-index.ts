import {errorCode} from '#appliance/error/coded-error.ts';
import type {CacheIndex} from '#stb/cache/cache-index.ts';

/** Damage, and not a full disk: what was written cannot be read any more. */
export const isIndexDamage = (error: unknown): boolean => {
	const code = errorCode(error) ?? '';
	return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
};

/**
 * An index that turns out to be damaged while it is used answers as if it were empty: a miss is served from elsewhere, an
 * exception for every request would not be. What would write fails as ever. `onDamage` is told once, and from then on
 * the damaged file is not touched any more.
 */
export const guardIndex = (index: CacheIndex, onDamage: (error: unknown) => void): CacheIndex => {
	let damage: {readonly error: unknown} | undefined;
	const note = (error: unknown): void => {
		if (isIndexDamage(error) && damage === undefined) {
			damage = {error};
			onDamage(error);
		}
	};
	const reading = <Result>(read: () => Result, empty: Result): Result => {
		if (damage !== undefined) {
			return empty;
		}
		try {
			return read();
		} catch (error) {
			note(error);
			if (isIndexDamage(error)) {
				return empty;
			}
			throw error;
		}
	};
	const writing = (write: () => void): void => {
		if (damage !== undefined) {
			throw damage.error;
		}
		try {
			write();
		} catch (error) {
			note(error);
			throw error;
		}
	};
	return {
		find: (uri) => reading(() => index.find(uri), undefined),
		put: (objects) => writing(() => index.put(objects)),
		delete: (uris) => writing(() => index.delete(uris)),
		touch: (usedMsByUri) => writing(() => index.touch(usedMsByUri)),
		pin: (uri, pinned) => writing(() => index.pin(uri, pinned)),
		page: (options) => reading(() => index.page(options), []),
		*candidates() {
			if (damage !== undefined) {
				return;
			}
			try {
				yield* index.candidates();
			} catch (error) {
				note(error);
				if (!isIndexDamage(error)) {
					throw error;
				}
			}
		},
		expired: (options) => reading(() => index.expired(options), []),
		totals: () => reading(() => index.totals(), {objects: 0, bytes: 0, generationMax: 0}),
		[Symbol.dispose]: () => index[Symbol.dispose](),
	};
};
