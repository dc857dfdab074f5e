import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import {create, setAttribute, setText} from '../../appliance/page/dom.ts';
import {formatBytes, formatCount, formatRate} from '../../appliance/page/format.ts';
import {keyedList} from '../../appliance/page/keyed-list.ts';
import {createFact, createPanel, type Panel} from './panel.ts';

type Link = NonNullable<HeadendStatus['link']>;
type Layer = Link['layers'][number] & {readonly ratio: number; readonly family: string; readonly name: string};

/** What each layer is to people, and whose cost it is. */
const layerWords: Readonly<Record<string, readonly [family: string, name: string]>> = {
	plheader: ['signal', 'Frame headers (PLHEADER)'],
	pilots: ['signal', 'Pilot symbols'],
	code: ['code', 'Error correction (LDPC, BCH)'],
	bbheader: ['signal', 'Baseband headers'],
	transport: ['link', 'Transport packet headers'],
	tables: ['link', 'Tables and stuffing'],
	encapsulation: ['link', 'Encapsulation'],
	ip: ['session', 'IP and UDP'],
	lct: ['session', 'LCT and FEC identifiers'],
	'al-fec': ['code', 'Repair symbols'],
	signalling: ['session', 'Announcement and file tables'],
	unused: ['unused', 'Ordered less than fits'],
	objects: ['objects', 'Objects'],
};

const formWords: Readonly<Record<Link['form'], string>> = {
	ip: 'IP multicast to an encapsulator',
	mpe: 'MPE in a transport stream',
	gse: 'GSE in BBFRAMEs',
	iq: 'I/Q samples',
};

/** Rarely does one care for less. */
const shownRatioMin = 1e-6;

const percentOf = (ratio: number): string => `${(ratio * 100).toFixed(ratio < 0.0995 ? 2 : 1)} %`;

const createPart = ({layer}: Layer) => {
	const element = create('span', {class: 'stack-part', 'data-layer': layer});
	return {
		element,
		update: ({ratio, family, name}: Layer) => {
			setAttribute(element, 'data-family', family);
			setAttribute(element, 'title', `${name}: ${percentOf(ratio)}`);
			element.style.setProperty('flex-grow', String(ratio));
		},
	};
};

const createRow = (layer: Layer) => {
	const rate = create('td', {class: 'number'});
	const share = create('td', {class: 'number'});
	const name = create('th', {scope: 'row', class: 'layer-name'}, layer.name);
	return {
		element: create('tr', {'data-family': layer.family, 'data-layer': layer.layer}, name, rate, share),
		update: ({bps, ratio}: Layer) => {
			setText(rate, formatRate(bps));
			setText(share, percentOf(ratio));
		},
	};
};

const layersOf = ({layers}: Link): readonly Layer[] => {
	const total = layers.reduce((sum, {bps}) => sum + bps, 0);
	return layers
		.map(({layer, bps}) => {
			const [family, name] = layerWords[layer] ?? ['link', layer];
			return {layer, bps, ratio: total === 0 ? 0 : bps / total, family, name};
		})
		.filter(({ratio}) => ratio > shownRatioMin);
};

const createTable = () => {
	const body = create('tbody');
	const head = create(
		'tr',
		{},
		create('th', {scope: 'col'}, 'Of the symbols’ bits'),
		create('th', {scope: 'col', class: 'number'}, 'Rate'),
		create('th', {scope: 'col', class: 'number'}, 'Share'),
	);
	return {body, element: create('table', {class: 'layers'}, create('thead', {}, head), body)};
};

type OutputFacts = Readonly<Record<'carried' | 'lost', ReturnType<typeof createFact>>>;

/** How it goes out, where that is our own doing. */
const showOutput = ({output}: Link, {carried, lost}: OutputFacts): void => {
	carried.element.hidden = output === undefined;
	lost.element.hidden = output === undefined;
	if (output !== undefined) {
		const {datagrams, carrierBytes, stuffingBytes, droppedDatagrams, underruns, lostBytes} = output;
		const stuffing = carrierBytes === 0 ? 0 : stuffingBytes / carrierBytes;
		carried.show(`${formatCount(datagrams)} datagrams, ${percentOf(stuffing)} stuffing`);
		const isBad = droppedDatagrams + underruns + lostBytes > 0;
		const words = `${formatCount(underruns)} gaps, ${formatCount(droppedDatagrams)} datagrams, ${formatBytes(lostBytes)}`;
		lost.show(isBad ? words : 'none', isBad);
	}
};

/** Where the transponder's bits go, from the symbols down to the objects. */
export const createLinkPanel = (): Panel => {
	const [rate, of] = [create('strong', {class: 'big'}), create('span', {class: 'soft'})];
	const stack = create('div', {class: 'stack', role: 'img'});
	const table = createTable();
	const facts = {
		transponder: createFact('Transponder'),
		modcod: createFact('MODCOD'),
		bitRate: createFact('Bit rate'),
		efficiency: createFact('Efficiency'),
		threshold: createFact('Ideal Es/N0 threshold'),
		ip: createFact('Left for IP'),
		form: createFact('Output'),
		carried: createFact('Carried'),
		lost: createFact('Gaps and losses'),
	};
	const showParts = keyedList<Layer>(stack, {keyOf: ({layer}) => layer, create: createPart});
	const showRows = keyedList<Layer>(table.body, {keyOf: ({layer}) => layer, create: createRow});
	const list = create('dl', {class: 'facts'}, ...Object.values(facts).map(({element}) => element));
	const lead = create('div', {class: 'link-lead'}, create('p', {}, rate, of), list);
	const element = createPanel('Link budget', create('div', {class: 'link-budget'}, lead, stack, table.element));
	element.classList.add('link-panel');
	return {
		element,
		update: ({link}) => {
			element.hidden = link === undefined;
			if (link === undefined) {
				return;
			}
			const layers = layersOf(link);
			const total = layers.reduce((sum, {bps}) => sum + bps, 0);
			setText(rate, formatRate(link.objectsBps));
			setText(of, `for objects, ${percentOf(link.objectsBps / total)} of ${formatRate(total)} of symbols`);
			setAttribute(stack, 'aria-label', layers.map(({name, ratio}) => `${name} ${percentOf(ratio)}`).join(', '));
			showParts(layers);
			showRows(layers);
			const {symbolRateSps, bandwidthHz, frequencyKhz, polarization, thresholdDb} = link;
			facts.transponder.show(`${frequencyKhz / 1000} MHz ${polarization}`);
			facts.modcod.show(`${link.modcod}, ${link.frame} frames${link.pilots ? ', pilots' : ''}`);
			facts.bitRate.show(`${formatRate(link.bitRateBps)} in ${(bandwidthHz / 1e6).toFixed(1)} MHz`);
			facts.efficiency.show(`${link.efficiency.toFixed(3)} bit/symbol at ${symbolRateSps / 1e6} Msym/s`);
			facts.threshold.show(thresholdDb === undefined ? 'not in our tables' : `${thresholdDb.toFixed(2)} dB`);
			facts.ip.show(`${formatRate(link.ipRateBps)} by ${link.encapsulation.toUpperCase()}`);
			facts.form.show(formWords[link.form]);
			showOutput(link, facts);
		},
	};
};
