/** JSON merge patch (RFC 7396 section 2): null removes, an object merges, everything else replaces. Pure. */
export const mergePatch = (target: unknown, patch: unknown): unknown => {
	if (!isRecord(patch)) {
		return patch;
	}
	const merged = new Map(Object.entries(isRecord(target) ? target : {}));
	for (const [key, value] of Object.entries(patch)) {
		if (value === null) {
			merged.delete(key);
		} else {
			merged.set(key, mergePatch(merged.get(key), value));
		}
	}
	// Not by assignment, to which `__proto__` would mean something else.
	return Object.fromEntries(merged);
};

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);
