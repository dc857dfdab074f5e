import type {ObjectForm} from '#headend/catalogue/catalogue-entry.ts';
import type {IngestConfig} from '#headend/ingest/ingest-config-schema.ts';

/** A channel that is on for days must not lose its initialisation segments; they go when the channel goes. */
const initLifeMs = 7 * 24 * 3_600_000;

/** How long a live object is worth something: segments for the window, manifests until the next one. */
export const termsOfLive = (
	form: ObjectForm | undefined,
	{nowMs, config}: {readonly nowMs: number; readonly config: IngestConfig},
): {readonly expiresMs: number; readonly freshUntilMs?: number} => {
	if (form === 'init') {
		return {expiresMs: nowMs + initLifeMs};
	}
	const expiresMs = nowMs + config.windowMs;
	return form === undefined ? {expiresMs} : {expiresMs, freshUntilMs: nowMs + 2 * config.segmentDurationMs};
};
