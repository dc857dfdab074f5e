import type {StbStatus} from '#appliance/contract/stb-status-schema.ts';
import {create, setAttribute, setText} from '../../appliance/page/dom.ts';
import {formatRate} from '../../appliance/page/format.ts';
import type {FeedState} from '../../appliance/page/status-feed.ts';

type Signal = {readonly state: 'good' | 'waiting' | 'bad'; readonly text: string};

/** The whole reception in the words of somebody on a sofa. */
const describeSignal = (feed: FeedState, status: StbStatus | undefined): Signal => {
	if (feed === 'lost') {
		return {state: 'bad', text: 'Your box does not answer'};
	}
	if (status === undefined) {
		return {state: 'waiting', text: 'Connecting to your box'};
	}
	if (!status.tuned.announced) {
		return {state: 'waiting', text: 'Looking for the satellite'};
	}
	if (status.receive.rateBps <= 0) {
		return {state: 'waiting', text: 'Waiting for the signal'};
	}
	return {state: 'good', text: `Satellite ${formatRate(status.receive.rateBps)}`};
};

export type SignalChip = {
	readonly element: HTMLElement;
	readonly update: (feed: FeedState, status: StbStatus | undefined) => void;
};

/** The changing rate is for eyes; screen readers hear only of a change of state. */
export const createSignalChip = (): SignalChip => {
	const text = create('span', {'aria-hidden': 'true'});
	const spoken = create('span', {class: 'visually-hidden', role: 'status'});
	const element = create('p', {class: 'signal'}, create('span', {class: 'signal-dot'}), text, spoken);
	let state = '';
	return {
		element,
		update: (feed, status) => {
			const signal = describeSignal(feed, status);
			setText(text, signal.text);
			setAttribute(element, 'data-state', signal.state);
			if (signal.state !== state) {
				state = signal.state;
				setText(spoken, signal.state === 'good' ? 'Receiving from the satellite' : signal.text);
			}
		},
	};
};
