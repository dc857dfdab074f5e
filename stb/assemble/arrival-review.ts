import {type ArrivalRecord, isOpen} from '#stb/assemble/arrival.ts';
import type {ArrivalEvent} from '#stb/assemble/arrival-state.ts';
import type {AssemblerOptions} from '#stb/assemble/assembler-options.ts';
import type {SecondChances} from '#stb/assemble/second-chances.ts';

/** Arrivals compared with the cache in one look. */
const comparedMax = 2000;
/** A listed live object of which nothing came for this many idle times was lost. */
const unseenIdleFactor = 1.5;

export type ArrivalReview = {
	/** Looks at the arrivals that are under way for what nobody tells of; called every few seconds. */
	readonly look: () => void;
};

type ReviewOptions = Pick<AssemblerOptions, 'cache' | 'clock' | 'config'> & {
	readonly latest: ReadonlyMap<string, ArrivalRecord>;
	readonly chances: SecondChances;
	readonly apply: (record: ArrivalRecord, event: ArrivalEvent) => void;
};

/** Ends arrivals that need not come any more, or that will not. */
export const createArrivalReview = (options: ReviewOptions): ArrivalReview => {
	const {latest} = options;
	let round = latest.values();
	return {
		look: () => {
			for (const record of latest.values()) {
				endUnseen(record, options);
			}
			// A carousel lists a whole catalogue; it is compared with the cache a part at a time.
			for (let compared = 0; compared < comparedMax; compared += 1) {
				const next = round.next();
				if (next.done === true) {
					round = latest.values();
					break;
				}
				leaveIfHeld(next.value, options);
			}
		},
	};
};

/** What a player's miss has brought into the cache meanwhile need not arrive any more. */
const leaveIfHeld = (record: ArrivalRecord, {cache, chances, apply}: ReviewOptions): void => {
	const held = cache.peek(record.facts.uri);
	const same = held !== undefined && held.sha256 === record.facts.sha256;
	if (same && record.facts.freshUntilMs === undefined && isOpen(record) && record.readers === 0) {
		apply(record, {kind: 'abandoned', code: 'STB_ARRIVAL_SUPERSEDED'});
		chances.remember(record.facts, 'cached');
	}
};

/**
 * Of an object of which nothing came the receiver cannot say that it has ended. An FDT lists the whole carousel, and
 * fetching what is merely not yet sent would turn every fresh box into a download of the catalogue. A live object,
 * however, was sent when it was listed, and is repaired once its time is over.
 */
const endUnseen = (record: ArrivalRecord, {clock, config, apply}: ReviewOptions): void => {
	const {facts, state, listedMs} = record;
	const unseen = state.kind === 'receiving' && state.receivedBytes === 0 && facts.priority === 'live';
	if (unseen && clock.monotonicMs() - listedMs > unseenIdleFactor * config.receive.objectIdleMs) {
		apply(record, {kind: 'ended', missingBytes: facts.object.transferLength});
	}
};
