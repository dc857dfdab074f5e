import type {CommissionCheck} from '#appliance/contract/fleet/commission-report-schema.ts';
import {create, setAttribute, setText} from '../../page/dom.ts';
import {keyedList} from '../../page/keyed-list.ts';

const names: Readonly<Record<CommissionCheck['name'], string>> = {
	network: 'Network',
	time: 'Time',
	disk: 'Disk',
	fleet: 'Fleet',
	services: 'Services',
	signal: 'Signal',
	multicast: 'Multicast',
	cache: 'Cache',
};
const marks: Readonly<Record<CommissionCheck['outcome'], readonly [sign: string, word: string]>> = {
	good: ['✓', 'good'],
	bad: ['!', 'needs you'],
	unknown: ['?', 'not known'],
};

const headlineOf = (open: number, unknown: number): string => {
	if (open > 0) {
		return `${open} ${open === 1 ? 'thing needs' : 'things need'} you`;
	}
	return unknown === 0 ? 'Nothing is left to do here' : `Nothing is wrong; ${unknown} not known`;
};

/** What is left to do, as a list that can be read at arm's length; never by colour alone. */
export const createCheckStrip = () => {
	const headline = create('p', {class: 'headline', role: 'status'});
	const list = create('ul', {class: 'checks'});
	const update = keyedList<CommissionCheck>(list, {
		keyOf: ({name}) => name,
		create: ({name}) => {
			const sign = create('span', {class: 'mark', 'aria-hidden': 'true'});
			const word = create('span', {class: 'visually-hidden'});
			const detail = create('span', {class: 'check-detail'});
			return {
				element: create('li', {}, sign, create('span', {class: 'check-name'}, names[name], word), detail),
				update: (check) => {
					const [mark, said] = marks[check.outcome];
					setText(sign, mark);
					setText(word, `: ${said}.`);
					setText(detail, check.detail);
					setAttribute(sign.parentElement ?? sign, 'data-outcome', check.outcome);
				},
			};
		},
	});
	return {
		element: create('section', {class: 'panel strip', 'aria-label': 'Checks'}, headline, list),
		update: (checks: readonly CommissionCheck[]) => {
			const open = checks.filter(({outcome}) => outcome === 'bad').length;
			const unknown = checks.filter(({outcome}) => outcome === 'unknown').length;
			setText(headline, headlineOf(open, unknown));
			setAttribute(headline, 'data-outcome', open === 0 ? 'good' : 'bad');
			update(checks);
		},
	};
};
