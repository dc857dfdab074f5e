import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import {create, setAttribute, setText} from '../../appliance/page/dom.ts';
import {formatCount, formatRate} from '../../appliance/page/format.ts';
import {keyedList} from '../../appliance/page/keyed-list.ts';
import {createPanel, type Panel} from './panel.ts';

type Channel = HeadendStatus['live'][number];
type ChannelItem = Channel & {readonly ageMs: number};

/** An encoder pushes a segment every two seconds or so; one that is silent for so long has stopped. */
const silentMs = 10_000;

const createRow = (channel: Channel) => {
	const age = create('span', {class: 'channel-age'});
	const facts = create('span', {class: 'soft'});
	const element = create('li', {class: 'channel'}, create('strong', {}, channel.channel), age, facts);
	return {
		element,
		update: ({ageMs, segments, bitrateBps}: ChannelItem) => {
			const silent = ageMs > silentMs;
			setAttribute(element, 'data-bad', silent);
			setText(age, silent ? `silent for ${Math.round(ageMs / 1000)} s` : 'coming in');
			setText(facts, `${formatRate(bitrateBps)} · ${formatCount(segments)} segments`);
		},
	};
};

/** The live channels that encoders push. */
export const createLivePanel = (): Panel => {
	const list = create('ul', {class: 'channels'});
	const quiet = create('p', {class: 'soft'}, 'No encoder has pushed a channel yet.');
	const show = keyedList<ChannelItem>(list, {keyOf: ({channel}) => channel, create: createRow});
	return {
		element: createPanel('Live channels', list, quiet),
		update: ({live, nowMs}) => {
			show(live.map((channel) => ({...channel, ageMs: nowMs - channel.lastSegmentMs})));
			quiet.hidden = live.length > 0;
		},
	};
};
