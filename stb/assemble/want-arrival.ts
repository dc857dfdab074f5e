import type {ArrivalFacts} from '#stb/assemble/describe-arrival.ts';

export type WantDecision =
	| {readonly kind: 'wanted'}
	| {readonly kind: 'skipped'; readonly reason: 'cached' | 'too-large' | 'expired' | 'no-room'};

export type CacheFacts = {
	readonly budgetBytes: number;
	readonly usedBytes: number;
	/** What is arriving already will want its place too. */
	readonly arrivingBytes: number;
	/** What the cache holds under this URI. */
	readonly cached: {readonly sha256: string; readonly freshUntilMs?: number | undefined} | undefined;
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
	if (facts.sha256 !== undefined && facts.sha256 === cache.cached?.sha256 && !renews(facts, cache.cached)) {
		return {kind: 'skipped', reason: 'cached'};
	}
	const fits = cache.usedBytes + cache.arrivingBytes + sizeBytes <= cache.budgetBytes;
	if (!fits && facts.priority === 'low') {
		return {kind: 'skipped', reason: 'no-room'};
	}
	return {kind: 'wanted'};
};

/** A live manifest that did not change is sent again to say that it still holds; only by taking it is that learnt. */
const renews = (facts: ArrivalFacts, cached: NonNullable<CacheFacts['cached']>): boolean =>
	facts.freshUntilMs !== undefined && cached.freshUntilMs !== undefined && facts.freshUntilMs > cached.freshUntilMs;
