import {create, setText} from '../../page/dom.ts';
import {formatBytes, formatCount, formatRate} from '../../page/format.ts';
import {keyedList} from '../../page/keyed-list.ts';
import type {CommissionState} from '../commission-schema.ts';

type Fact = readonly [name: string, value: string | undefined];

const kinds = {headend: 'Headend', stb: 'Set-top box', 'pop-node': 'PoP node'} as const;

const createFacts = (title: string, factsOf: (state: CommissionState) => readonly Fact[]) => {
	const id = `facts-${title.toLowerCase().replaceAll(' ', '-')}`;
	const list = create('div', {class: 'facts'});
	const element = create('section', {class: 'panel', 'aria-labelledby': id}, create('h2', {id}, title), list);
	const fill = keyedList<Fact>(list, {
		keyOf: ([name]) => name,
		create: ([name]) => {
			const value = create('dd', {});
			return {
				element: create('dl', {class: 'fact'}, create('dt', {}, name), value),
				update: ([, text]) => setText(value, text ?? '–'),
			};
		},
	});
	return {
		element,
		update: (state: CommissionState) => {
			const facts = factsOf(state);
			element.hidden = facts.length === 0;
			fill(facts);
		},
	};
};

const identity = ({box, services}: CommissionState): readonly Fact[] => [
	['Device', box.id],
	['Kind', kinds[box.kind]],
	['Release', box.release],
	['Model', box.model],
	['Serial number', box.serial],
	['Site', box.site],
	...services.map(({name, state}): Fact => [`Service ${name}`, state]),
];

const network = ({network: {interfaces, gateway, nameServers}}: CommissionState): readonly Fact[] => [
	...interfaces.flatMap(({name, addresses, link, speedMbps}): readonly Fact[] => [
		[name, addresses.join('\n')],
		[
			`${name} link`,
			link === false ? 'down' : [link && 'up', speedMbps && `${speedMbps} Mbit/s`].filter(Boolean).join(', '),
		],
	]),
	['Gateway', gateway ?? 'none'],
	['Name servers', nameServers.join('\n') || 'none'],
];

const timeAndDisk = ({time, disk}: CommissionState): readonly Fact[] => [
	['Clock', `${new Date(time.nowMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`],
	['Synchronised', time.synchronised === undefined ? 'not known' : time.synchronised ? 'yes' : 'not yet'],
	['Time server', time.source],
	['Off by', time.offsetSeconds === undefined ? undefined : `${(time.offsetSeconds * 1000).toFixed(1)} ms`],
	['Disk free', disk && `${formatBytes(disk.freeBytes)} of ${formatBytes(disk.totalBytes)}`],
];

const reception = ({picture: {multicast, cache}}: CommissionState): readonly Fact[] => [
	...(multicast === undefined
		? []
		: ([
				['Announced', multicast.announced ? 'yes' : 'not heard yet'],
				['Groups', multicast.groups.join('\n') || 'none'],
				['Receives', formatRate(multicast.rateBps)],
				['Packets', `${formatCount(multicast.packets)}, ${formatCount(multicast.droppedPackets)} dropped`],
			] as const)),
	...(cache === undefined
		? []
		: ([
				['Stored', `${formatCount(cache.objects)} objects`],
				['Cache', `${formatBytes(cache.bytes)} of ${formatBytes(cache.budgetBytes)}`],
			] as const)),
];

export const createFactPanels = () => [
	createFacts('This box', identity),
	createFacts('Network', network),
	createFacts('Time and disk', timeAndDisk),
	createFacts('Multicast and cache', reception),
];
