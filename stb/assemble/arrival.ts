import {EventEmitter} from 'node:events';
import {
	type ArrivalEffect,
	type ArrivalEvent,
	type ArrivalState,
	initialArrival,
	transition,
} from '#stb/assemble/arrival-state.ts';
import type {ArrivalFacts} from '#stb/assemble/describe-arrival.ts';
import type {WholeArrival} from '#stb/assemble/store-arrival.ts';

/** One transmission that is being assembled: what it is, where it stands, who waits for it. */
export type ArrivalRecord = {
	readonly id: number;
	readonly facts: ArrivalFacts;
	state: ArrivalState;
	repairedBytes: number;
	/** Monotonic. */
	readonly listedMs: number;
	/** By the gateway configuration of now, which may have come after the object. */
	readonly repairable: () => boolean;
	/** Players that read it while it arrives. */
	readers: number;
	/** Set with the event `complete`, for the effect `store`. */
	whole?: WholeArrival;
	/** Of the identity bytes, once they are in the cache. */
	storedSha256?: string;
	/** A newer transmission of the same URI has appeared; this one lives on only for its readers. */
	superseded: boolean;
	/** Emits `change` at every event; readers wait on it. */
	readonly changes: EventEmitter<{change: []}>;
	/** Resolves when the arrival is stored or has failed. */
	readonly settled: PromiseWithResolvers<void>;
	readonly repair: {abort?: AbortController};
};

/** Players of one object are a household's, and each reads with a few connections. */
const listenersMax = 256;

export const createArrivalRecord = (
	facts: ArrivalFacts,
	{repairable, listedMs}: Pick<ArrivalRecord, 'repairable' | 'listedMs'>,
): ArrivalRecord => {
	const changes = new EventEmitter<{change: []}>();
	changes.setMaxListeners(listenersMax);
	return {
		id: facts.object.id,
		facts,
		state: initialArrival,
		repairedBytes: 0,
		repairable,
		listedMs,
		readers: 0,
		superseded: false,
		changes,
		settled: Promise.withResolvers<void>(),
		repair: {},
	};
};

/** Applies one event and answers what is to be done; the record's only writer of `state`. */
export const applyEvent = (record: ArrivalRecord, event: ArrivalEvent): readonly ArrivalEffect[] => {
	const {state, effects} = transition(record.state, event, {
		transferLength: record.facts.object.transferLength,
		repairable: record.repairable(),
	});
	record.state = state;
	return effects;
};

export const isOpen = ({state}: ArrivalRecord): boolean => state.kind === 'receiving' || state.kind === 'repairing';

/** Something of it has come, from the air or from a server. */
export const hasBegun = ({state}: ArrivalRecord): boolean => state.kind !== 'receiving' || state.receivedBytes > 0;
