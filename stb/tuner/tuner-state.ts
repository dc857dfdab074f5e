import {type Carrier, mergeCarriers} from '#stb/tuner/carrier.ts';

/** Where the box is on its way to the carousel. `carriers` is all that it knows to try, in the order of trying. */
export type TunerState =
	/** There is no device, or somebody else has it. */
	| {readonly kind: 'absent'; readonly carriers: readonly Carrier[]}
	/** There is a device and nothing to tune to. */
	| {readonly kind: 'idle'; readonly carriers: readonly Carrier[]}
	| {readonly kind: 'searching'; readonly carriers: readonly Carrier[]; readonly index: number}
	| {
			readonly kind: 'announcing';
			readonly carriers: readonly Carrier[];
			readonly index: number;
			readonly lockMs: number;
	  }
	| {readonly kind: 'acquiring'; readonly carriers: readonly Carrier[]; readonly index: number; readonly lockMs: number}
	/** It had the carousel and waits for the same carrier. */
	| {readonly kind: 'lost'; readonly carriers: readonly Carrier[]; readonly index: number};

export type TunerEvent =
	| {readonly kind: 'opened'}
	| {readonly kind: 'gone'}
	| {readonly kind: 'locked'; readonly lockMs: number}
	/** No lock, no announcement, or no return of either, in the time for it. */
	| {readonly kind: 'timeout'}
	| {readonly kind: 'unlocked'}
	/** Signalling of the wanted network is understood. */
	| {readonly kind: 'announced'}
	/** A network told of carriers; `elsewhere`: this is not the wanted one, so there is nothing to wait for here. */
	| {readonly kind: 'told'; readonly carriers: readonly Carrier[]; readonly elsewhere: boolean};

export const tunerStateAtStart = (carriers: readonly Carrier[]): TunerState => ({kind: 'absent', carriers});

/** The carrier that is tuned to, or wanted again. */
export const carrierOf = (state: TunerState): Carrier | undefined =>
	'index' in state ? state.carriers[state.index] : undefined;

/** What follows from an event. Pure; an event that a state does not expect leaves it as it is. */
export const transition = (state: TunerState, event: TunerEvent): TunerState => {
	if (event.kind === 'gone') {
		return {kind: 'absent', carriers: firstAgain(state)};
	}
	if (event.kind === 'told') {
		return learn(state, event);
	}
	switch (state.kind) {
		case 'absent':
			return event.kind === 'opened' ? search(state.carriers, 0) : state;
		case 'idle':
			return state;
		case 'searching':
			return event.kind === 'locked'
				? {...state, kind: 'announcing', lockMs: event.lockMs}
				: event.kind === 'timeout'
					? search(state.carriers, state.index + 1)
					: state;
		case 'announcing':
			return event.kind === 'announced'
				? {...state, kind: 'acquiring'}
				: event.kind === 'timeout' || event.kind === 'unlocked'
					? search(state.carriers, state.index + 1)
					: state;
		case 'acquiring':
			return event.kind === 'unlocked' ? {kind: 'lost', carriers: state.carriers, index: state.index} : state;
		case 'lost':
			return event.kind === 'locked'
				? {...state, kind: 'acquiring', lockMs: event.lockMs}
				: event.kind === 'timeout'
					? search(state.carriers, state.index + 1)
					: state;
	}
};

/** Round and round: what was dark an hour ago may be lit. */
const search = (carriers: readonly Carrier[], index: number): TunerState =>
	carriers.length === 0 ? {kind: 'idle', carriers} : {kind: 'searching', carriers, index: index % carriers.length};

/** What a carrier tells of comes behind what is known; a box that has its network stays there. */
const learn = (state: TunerState, {carriers, elsewhere}: TunerEvent & {readonly kind: 'told'}): TunerState => {
	const merged = mergeCarriers(state.carriers, carriers);
	if (state.kind === 'idle') {
		return search(merged, 0);
	}
	return state.kind === 'announcing' && elsewhere ? search(merged, state.index + 1) : {...state, carriers: merged};
};

/** What is to be tried when the device is back, or the box: first the carrier that had the carousel. */
export const firstAgain = (state: TunerState): readonly Carrier[] => {
	const carrier = state.kind === 'acquiring' || state.kind === 'lost' ? carrierOf(state) : undefined;
	return carrier === undefined ? state.carriers : [carrier, ...state.carriers.filter((other) => other !== carrier)];
};
