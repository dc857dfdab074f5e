import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import {create, setAttribute, setText} from '../../appliance/page/dom.ts';
import {type FeedState, followStatus} from '../../appliance/page/status-feed.ts';
import {createCataloguePanel} from './catalogue-panel.ts';
import {createCyclePanel} from './cycle-panel.ts';
import {createLinkPanel} from './link-panel.ts';
import {createLivePanel} from './live-panel.ts';
import {createLoadPanel} from './load-panel.ts';
import {createNextPanel} from './next-panel.ts';
import {createOnAirPanel} from './on-air-panel.ts';
import {createRatePanel} from './rate-panel.ts';

const feedText: Readonly<Record<FeedState, string>> = {
	connecting: 'Connecting',
	following: 'Live',
	polling: 'Live, by polling',
	lost: 'The headend does not answer',
};

const box = create('span', {class: 'box'});
const feed = create('p', {class: 'feed', role: 'status'});
const panels = [
	createRatePanel(),
	createCyclePanel(),
	createLoadPanel(),
	createLinkPanel(),
	createOnAirPanel(),
	createLivePanel(),
	createNextPanel(),
];
document.body.append(
	create(
		'header',
		{class: 'top'},
		create('h1', {class: 'wordmark'}, 'Stream', create('span', {}, 'Verse'), create('small', {}, ' Headend')),
		box,
		feed,
	),
	create('main', {class: 'grid'}, ...panels.map(({element}) => element), createCataloguePanel()),
);

followStatus<HeadendStatus>({
	eventsPath: '/events',
	statusPath: '/status',
	onState: (state) => {
		setText(feed, feedText[state]);
		setAttribute(feed, 'data-state', state);
	},
	onStatus: (status) => {
		setText(box, status.box);
		document.title = `${status.box} · StreamVerse headend`;
		for (const panel of panels) {
			panel.update(status);
		}
	},
});
