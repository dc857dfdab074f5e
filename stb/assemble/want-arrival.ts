import type {ArrivalFacts} from '#stb/assemble/describe-arrival.ts';
import type {CachedObject} from '#stb/cache/cached-object.ts';
import type {Renewal} from '#stb/cache/renew-object.ts';

export type WantDecision =
	| {readonly kind: 'wanted'}
	| {readonly kind: 'skipped'; readonly reason: 'cached' | 'too-large' | 'expired' | 'no-room'};

export type CacheFacts = {
	readonly budgetBytes: number;
	readonly usedBytes: number;
	/** What is arriving already will want its place too. */
	readonly arrivingBytes: number;
	/** What the cache holds under this URI. */
	readonly cached: Pick<CachedObject, 'sha256'> | undefined;
	readonly nowMs: number;
};

/** Whether an object of the carousel is worth receiving. Pure. */
export const wantArrival = (facts: ArrivalFacts, cache: CacheFacts): WantDecision => {
	if (facts.kind === 'signalling') {
		return {kind: 'wanted'};
	}
	if (facts.expiresMs <= cache.nowMs) {
		return {kind: 'skipped', reason: 'expired'};
	}
	const sizeBytes = Math.max(facts.sizeBytes ?? 0, facts.object.transferLength);
	if (sizeBytes > cache.budgetBytes) {
		return {kind: 'skipped', reason: 'too-large'};
	}
	if (facts.sha256 !== undefined && facts.sha256 === cache.cached?.sha256) {
		return {kind: 'skipped', reason: 'cached'};
	}
	const fits = cache.usedBytes + cache.arrivingBytes + sizeBytes <= cache.budgetBytes;
	if (!fits && facts.priority === 'low') {
		return {kind: 'skipped', reason: 'no-room'};
	}
	return {kind: 'wanted'};
};

/** A default expiry moves on with every look; only a gain of this share of it is worth a write. */
const defaultExpiryGainMin = 0.25;

/**
 * The later dates that the FDT brings for bytes that the cache holds: a live manifest that did not change is listed again
 * to say that it still holds, and what the carousel still carries is not to expire. Pure; undefined when nothing is new.
 */
export const renewalOf = (
	{uri, sha256, object, expiresMs, freshUntilMs}: ArrivalFacts,
	cached: Pick<CachedObject, 'sha256' | 'expiresMs' | 'freshUntilMs'> | undefined,
	nowMs: number,
): Renewal | undefined => {
	if (cached === undefined || sha256 === undefined || cached.sha256 !== sha256) {
		return undefined;
	}
	const fresher =
		cached.freshUntilMs !== undefined && (freshUntilMs === undefined || freshUntilMs > cached.freshUntilMs);
	const gainMs = cached.expiresMs === undefined ? 0 : expiresMs - cached.expiresMs;
	const gainMsMin = object.extension['expires'] === undefined ? (expiresMs - nowMs) * defaultExpiryGainMin : 0;
	const longer = gainMs > gainMsMin;
	return fresher || longer
		? {uri, sha256, freshUntilMs: fresher ? freshUntilMs : cached.freshUntilMs, ...(longer ? {expiresMs} : {})}
		: undefined;
};
