import type {ObjectForm} from '#headend/catalogue/catalogue-entry.ts';
import type {IngestConfig} from '#headend/ingest/ingest-config-schema.ts';

/** What an encoder may send once and never again lives as long as its channel; it is renewed while the channel pushes. */
const standingLifeMs = 7 * 24 * 3_600_000;

/** Initialisation segments and multivariant playlists: most encoders send them once, and a newer one replaces them. */
const isStanding = (form: ObjectForm | undefined): boolean => form === 'init' || form === 'hls-multivariant';

/** How long a live object is worth something: segments for the window, manifests until the next one. */
export const termsOfLive = (
	form: ObjectForm | undefined,
	{nowMs, config}: {readonly nowMs: number; readonly config: IngestConfig},
): {readonly expiresMs: number; readonly freshUntilMs?: number} => {
	if (isStanding(form)) {
		return {expiresMs: nowMs + standingLifeMs};
	}
	const expiresMs = nowMs + config.windowMs;
	return form === undefined ? {expiresMs} : {expiresMs, freshUntilMs: nowMs + 2 * config.segmentDurationMs};
};

/** A new expiry for a standing object whose life is half over; undefined when there is nothing to do. */
export const renewedExpiryMs = (
	{form, expiresMs}: {readonly form?: ObjectForm | undefined; readonly expiresMs?: number | undefined},
	nowMs: number,
): number | undefined =>
	isStanding(form) && (expiresMs ?? Number.POSITIVE_INFINITY) - nowMs < standingLifeMs / 2
		? nowMs + standingLifeMs
		: undefined;
