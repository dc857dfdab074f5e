import type {StreamversePage} from '#appliance/contract/playback-report.ts';
import type {StbStatus} from '#appliance/contract/stb-status-schema.ts';
import {create, setText} from '../../appliance/page/dom.ts';
import {type FeedState, followStatus} from '../../appliance/page/status-feed.ts';
import {createArrivalsPanel} from './arrivals-panel.ts';
import {createBoxPanel} from './box-panel.ts';
import {createHero} from './hero.ts';
import {loadPlayer} from './hls-engine.ts';
import {createHome} from './home.ts';
import type {PageTitle} from './page-title.ts';
import {Player} from './player.ts';
import {reportPlayback} from './report-playback.ts';
import {createSignalChip} from './signal-chip.ts';
import {followTitles} from './titles-feed.ts';

declare global {
	interface Window {
		streamverse: StreamversePage;
	}
}

const clockIntervalMs = 5000;
/** A box that has just started hears of its titles within this. */
const unknownAfterMs = 4000;

const player = new Player();
const notice = create('p', {class: 'notice', role: 'status'});
notice.hidden = true;
const play = (title: PageTitle): void => {
	// Who chose something else waits for nothing any more.
	wantedId = undefined;
	notice.hidden = true;
	player.open(title);
};
const hero = createHero(play);
let titles: readonly PageTitle[] = [];
let status: StbStatus | undefined;
let feed: FeedState = 'connecting';
let selectedId: string | undefined;
/** From the address; played as soon as the box has told of it. */
let wantedId = new URLSearchParams(location.search).get('play') ?? undefined;

const showHero = (): void => {
	const first = titles.find((title) => title.kind === 'vod') ?? titles[0];
	hero.show(titles.find((title) => title.id === selectedId) ?? first);
};

const home = createHome({
	onPlay: play,
	onFocus: (title) => {
		selectedId = title.id;
		showHero();
	},
});
const chip = createSignalChip();
const arrivals = createArrivalsPanel();
const box = createBoxPanel();

let unknownTimer: ReturnType<typeof setTimeout> | undefined;

/** An address may name what the box has not heard of yet, or what is gone. */
const tellWhenUnknown = (id: string): void => {
	clearTimeout(unknownTimer);
	unknownTimer = setTimeout(() => {
		if (wantedId === id) {
			setText(
				notice,
				`This box has not heard of “${id.slice(0, 60)}”. It plays as soon as it does; or choose something here.`,
			);
			notice.hidden = false;
		}
	}, unknownAfterMs);
};

const playById = (id: string): void => {
	const title = titles.find((candidate) => candidate.id === id);
	if (title === undefined) {
		if (wantedId !== id) {
			tellWhenUnknown(id);
		}
		wantedId = id;
	} else {
		wantedId = undefined;
		notice.hidden = true;
		play(title);
	}
};

const update = (): void => {
	chip.update(feed, status);
	home.update(titles, status);
	if (status !== undefined) {
		arrivals.update(status, titles);
	}
};

const clock = create('time', {class: 'clock'});
const tick = (): void => setText(clock, new Date().toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'}));

const mark = create('span', {class: 'wordmark'}, 'Stream', create('span', {}, 'Verse'));
document.body.append(
	create('header', {class: 'top'}, mark, chip.element, clock),
	create(
		'main',
		{},
		hero.element,
		notice,
		home.element,
		create('div', {class: 'panels'}, arrivals.element, ...box.elements),
	),
	player.element,
);

window.streamverse = {
	get playback() {
		return player.report;
	},
	play: playById,
	stop: () => player.close(),
};

reportPlayback(() => player.report);
tick();
setInterval(tick, clockIntervalMs);
showHero();
update();
if (wantedId !== undefined) {
	history.replaceState(null, '', '/');
	tellWhenUnknown(wantedId);
}
followStatus<StbStatus>({
	eventsPath: '/box/events',
	statusPath: '/box/status',
	onState: (state) => {
		feed = state;
		chip.update(feed, status);
	},
	onStatus: (next) => {
		status = next;
		box.update(next, titles);
		update();
	},
});
followTitles((next) => {
	titles = next;
	showHero();
	update();
	if (wantedId !== undefined) {
		playById(wantedId);
	}
});
// The player's code is fetched while nobody waits for it.
void loadPlayer().catch(() => undefined);
