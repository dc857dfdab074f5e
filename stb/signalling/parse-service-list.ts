import {z} from 'zod';
import {childOf, childrenOf, childText, parseXml, requireRoot, type XmlNode} from '#appliance/xml/parse-xml.ts';
import {type Delivery, readDelivery} from '#stb/signalling/read-delivery.ts';
import {readEntry} from '#stb/signalling/read-entry.ts';
import {decimalSchema} from '#stb/signalling/session-schema.ts';
import {createProblemList, type ProblemList, type SignallingProblem} from '#stb/signalling/signalling-error.ts';

export type ServiceInstance = {readonly id: string; readonly priority: number; readonly delivery: Delivery};

export type ListedService = {
	readonly identifier: string;
	readonly version: number;
	readonly name: string;
	readonly providerName?: string | undefined;
	readonly description?: string | undefined;
	readonly logoUri?: string | undefined;
	readonly channelNumber?: number | undefined;
	/** The one to try first comes first. */
	readonly instances: readonly ServiceInstance[];
};

export type ServiceList = {
	readonly id: string;
	readonly version: number;
	readonly name: string;
	readonly services: readonly ListedService[];
	readonly problems: readonly SignallingProblem[];
};

const servicesMax = 2000;
const instancesMax = 32;
const versionMax = 2 ** 32 - 1;
const priorityMax = 65_535;
const logoRole = /:HowRelatedCS:\d{4}:1001\.2$/u;

const listSchema = z.object({
	id: z.string().max(500).default(''),
	version: decimalSchema(versionMax),
	name: z.string().max(200).default(''),
});

const serviceSchema = z.object({
	identifier: z.string().min(1).max(500),
	version: decimalSchema(versionMax).default(0),
	name: z.string().min(1).max(200),
	providerName: z.string().max(200).optional(),
	description: z.string().max(2000).optional(),
	logoUri: z.string().max(1024).optional(),
});

const instanceSchema = z.object({
	id: z.string().max(200).default('0'),
	priority: decimalSchema(priorityMax).default(0),
});

/**
 * Reads a DVB-I service list (TS 103 770, any year's namespace): channels with their numbers, and for each the ways to
 * receive it, best first. Deliveries that we do not know are left out without a word, as the standard wants.
 * @throws CodedError APPLIANCE_XML_…
 */
export const parseServiceList = (xml: string): ServiceList => {
	const root = requireRoot(parseXml(xml), 'ServiceList');
	const problems = createProblemList();
	const list = readEntry(
		listSchema,
		{id: root.attributes.get('id'), version: root.attributes.get('version'), name: childText(root, 'Name')},
		{where: 'ServiceList', problems},
	) ?? {id: '', version: 0, name: ''};
	const numbers = readChannelNumbers(root, problems);
	const identifiers = new Set<string>();
	const nodes = childrenOf(root, 'Service');
	if (nodes.length > servicesMax) {
		const message = `Only the first ${servicesMax} of ${nodes.length} services are taken.`;
		problems.add({code: 'STB_SIGNALLING_TOO_LARGE', where: 'ServiceList', message});
	}
	const services = nodes.slice(0, servicesMax).flatMap((node, index) => {
		const service = readService(node, {where: `Service[${index}]`, problems});
		if (service === undefined || identifiers.has(service.identifier)) {
			return [];
		}
		identifiers.add(service.identifier);
		return [{...service, channelNumber: numbers.get(service.identifier)}];
	});
	return {...list, services, problems: problems.all()};
};

/** From every table; a receiver that knows no region uses them in order, and the first number of a service counts. */
const readChannelNumbers = (root: XmlNode, problems: ProblemList): ReadonlyMap<string, number> => {
	const numbers = new Map<string, number>();
	const tables = childrenOf(childOf(root, 'LCNTableList'), 'LCNTable');
	for (const [index, node] of tables
		.flatMap((table) => childrenOf(table, 'LCN'))
		.slice(0, servicesMax)
		.entries()) {
		const entry = readEntry(
			z.object({channelNumber: decimalSchema(9999, 1), serviceRef: z.string().min(1).max(500)}),
			{channelNumber: node.attributes.get('channelNumber'), serviceRef: node.attributes.get('serviceRef')},
			{where: `LCN[${index}]`, problems},
		);
		if (entry !== undefined && !numbers.has(entry.serviceRef)) {
			numbers.set(entry.serviceRef, entry.channelNumber);
		}
	}
	return numbers;
};

const readService = (
	node: XmlNode,
	place: {readonly where: string; readonly problems: ProblemList},
): Omit<ListedService, 'channelNumber'> | undefined => {
	const service = readEntry(
		serviceSchema,
		{
			identifier: childText(node, 'UniqueIdentifier'),
			version: node.attributes.get('version'),
			name: childText(node, 'ServiceName'),
			providerName: childText(node, 'ProviderName'),
			description: childText(node, 'ServiceDescription'),
			logoUri: readLogo(node),
		},
		place,
	);
	if (service === undefined) {
		return undefined;
	}
	const instances = childrenOf(node, 'ServiceInstance')
		.slice(0, instancesMax)
		.flatMap((instance, index) => {
			const where = `${place.where}/ServiceInstance[${index}]`;
			const head = readEntry(
				instanceSchema,
				{id: instance.attributes.get('id'), priority: instance.attributes.get('priority')},
				{...place, where},
			);
			const delivery = readDelivery(instance, {...place, where});
			return head === undefined || delivery === undefined ? [] : [{...head, delivery}];
		});
	// Stable, so that of equal priorities the first listed stays first.
	return {...service, instances: instances.toSorted((a, b) => a.priority - b.priority)};
};

const readLogo = (node: XmlNode): string | undefined => {
	const material = childrenOf(node, 'RelatedMaterial').find((related) =>
		logoRole.test(childOf(related, 'HowRelated')?.attributes.get('href') ?? ''),
	);
	return childText(childOf(material, 'MediaLocator'), 'MediaUri');
};
