/** Where one transmission of one object stands. `stored` and `failed` are final. */
export type ArrivalState =
	| {readonly kind: 'receiving'; readonly receivedBytes: number; readonly repairsLeft: number}
	| {readonly kind: 'repairing'; readonly receivedBytes: number; readonly repairsLeft: number}
	| {readonly kind: 'verifying'}
	| {readonly kind: 'stored'}
	| {readonly kind: 'failed'; readonly code: string};

export type ArrivalEvent =
	| {readonly kind: 'progress'; readonly receivedBytes: number}
	| {readonly kind: 'ended'; readonly missingBytes: number}
	| {readonly kind: 'repair-failed'; readonly code: string; readonly final: boolean}
	| {readonly kind: 'complete'}
	| {readonly kind: 'stored'}
	| {readonly kind: 'failed'; readonly code: string}
	/** A newer version of the same object has appeared, or nobody wants it any more. */
	| {readonly kind: 'abandoned'; readonly code: string};

/** What the executor does, in this order, once the new state is in place. */
export type ArrivalEffect = 'start-repair' | 'stop-repair' | 'store' | 'drop' | 'settle';

export type ArrivalTraits = {
	readonly transferLength: number;
	readonly repairable: boolean;
};

export type ArrivalStep = {readonly state: ArrivalState; readonly effects: readonly ArrivalEffect[]};

/** Rounds of repair for one object; after them only the carousel's next pass can help. */
export const repairsMax = 3;

export const initialArrival: ArrivalState = {kind: 'receiving', receivedBytes: 0, repairsLeft: repairsMax};

/** Pure. An event that comes too late for its state changes nothing. */
export const transition = (state: ArrivalState, event: ArrivalEvent, traits: ArrivalTraits): ArrivalStep => {
	switch (state.kind) {
		case 'receiving':
			return whileReceiving(state, event, traits);
		case 'repairing':
			return whileRepairing(state, event);
		case 'verifying':
			return whileVerifying(state, event);
		case 'stored':
		case 'failed':
			return {state, effects: []};
	}
};

type Open = Extract<ArrivalState, {kind: 'receiving' | 'repairing'}>;

const whileReceiving = (state: Open, event: ArrivalEvent, traits: ArrivalTraits): ArrivalStep => {
	if (event.kind === 'ended' && mayRepair(state, event.missingBytes, traits)) {
		return {
			state: {kind: 'repairing', receivedBytes: received(event, traits), repairsLeft: state.repairsLeft - 1},
			effects: ['start-repair'],
		};
	}
	return whileOpen(state, event);
};

const whileRepairing = (state: Open, event: ArrivalEvent): ArrivalStep => {
	if (event.kind !== 'repair-failed') {
		return whileOpen(state, event);
	}
	return event.final
		? {state: {kind: 'failed', code: event.code}, effects: ['drop', 'settle']}
		: {state: {...state, kind: 'receiving'}, effects: []};
};

const whileOpen = (state: Open, event: ArrivalEvent): ArrivalStep => {
	const stopRepair: readonly ArrivalEffect[] = state.kind === 'repairing' ? ['stop-repair'] : [];
	switch (event.kind) {
		case 'progress':
			return {state: {...state, receivedBytes: event.receivedBytes}, effects: []};
		case 'complete':
			return {state: {kind: 'verifying'}, effects: [...stopRepair, 'store']};
		case 'failed':
			return {state: {kind: 'failed', code: event.code}, effects: [...stopRepair, 'settle']};
		case 'abandoned':
			return {state: {kind: 'failed', code: event.code}, effects: [...stopRepair, 'drop', 'settle']};
		case 'ended':
		case 'repair-failed':
		case 'stored':
			return {state, effects: []};
	}
};

const whileVerifying = (state: ArrivalState, event: ArrivalEvent): ArrivalStep => {
	switch (event.kind) {
		case 'stored':
			return {state: {kind: 'stored'}, effects: ['settle']};
		case 'failed':
			return {state: {kind: 'failed', code: event.code}, effects: ['settle']};
		case 'progress':
		case 'ended':
		case 'repair-failed':
		case 'complete':
		case 'abandoned':
			return {state, effects: []};
	}
};

/**
 * `ended` is told of what has begun to come (or, by the assembler, of a live object that should have): everything may be
 * missing all the same, when only FEC symbols came or when the digest has proven the bytes wrong.
 */
const mayRepair = (state: Open, missingBytes: number, {repairable}: ArrivalTraits): boolean =>
	repairable && missingBytes > 0 && state.repairsLeft > 0;

const received = (event: {readonly missingBytes: number}, {transferLength}: ArrivalTraits): number =>
	Math.max(0, transferLength - event.missingBytes);
