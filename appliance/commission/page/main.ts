import {create, setAttribute, setText} from '../../page/dom.ts';
import {readSignal, readState} from './api.ts';
import {createCheckStrip} from './check-strip.ts';
import {createClaimPanel} from './claim-panel.ts';
import {createDishPanel} from './dish-panel.ts';
import {createFactPanels} from './fact-panel.ts';
import {createReportPanel} from './report-panel.ts';
import {createResetPanel} from './reset-panel.ts';
import {createSignalPanel} from './signal-panel.ts';

const stateIntervalMs = 2000;
/** As often as a hand that turns a dish can follow, and as the box asks its tuner. */
const signalIntervalMs = 250;

const box = create('span', {class: 'box'});
const feed = create('p', {class: 'feed', role: 'status'}, 'Connecting');
const checks = createCheckStrip();
const dish = createDishPanel();
const signal = createSignalPanel();
const claim = createClaimPanel();
const report = createReportPanel(dish.dish);
const facts = createFactPanels();
const reset = createResetPanel();
document.body.append(
	create(
		'header',
		{class: 'top'},
		create('h1', {class: 'wordmark'}, 'Stream', create('span', {}, 'Verse'), create('small', {}, ' Commissioning')),
		box,
		feed,
	),
	create(
		'main',
		{class: 'grid'},
		checks.element,
		dish.element,
		signal.element,
		claim.element,
		report.element,
		...facts.map(({element}) => element),
		reset.element,
	),
);

const follow = async (): Promise<void> => {
	try {
		const state = await readState();
		setText(feed, 'Live');
		setAttribute(feed, 'data-state', 'live');
		setText(box, state.box.id);
		document.title = `${state.box.id} · Commissioning`;
		checks.update(state.checks);
		for (const panel of [dish, signal, claim, report, ...facts, reset]) {
			panel.update(state);
		}
	} catch {
		setText(feed, 'The box does not answer');
		setAttribute(feed, 'data-state', 'lost');
	}
	setTimeout(() => void follow(), stateIntervalMs);
};

const followSignal = async (): Promise<void> => {
	try {
		// Who listens need not look.
		if ((!document.hidden || signal.sounds()) && !signal.element.hidden) {
			signal.show(await readSignal());
		}
	} catch {
		signal.lose();
	}
	setTimeout(() => void followSignal(), signalIntervalMs);
};

void follow();
void followSignal();
