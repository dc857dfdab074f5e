import type {Title} from '#appliance/contract/title-schema.ts';
import {
	liveTitlesOf,
	type SatelliteFacts,
	type SignallingFacts,
	serviceIdentifierOf,
} from '#headend/signalling/signalling-facts.ts';
import type {VersionBook} from '#headend/signalling/version-book.ts';
import {element, serialiseDocument, text, type XmlElement} from '#headend/signalling/xml-element.ts';

export const serviceListType = 'application/vnd.dvb.dvbisl+xml';

export const serviceListIdOf = (facts: SignallingFacts): string => `tag:${facts.operator.tagAuthority}:service-list`;

/** The smallest available priority is tried first: satellite cache, satellite channel, then the web. */
const instancePriority = {nativeIp: 1, satellite: 2, web: 3} as const;

const logoRole = 'urn:dvb:metadata:cs:HowRelatedCS:2021:1001.2';
const imageTypes: Readonly<Record<string, string>> = {
	'.jpg': 'image/jpeg',
	'.jpeg': 'image/jpeg',
	'.png': 'image/png',
	'.svg': 'image/svg+xml',
	'.webp': 'image/webp',
};

const instance = (id: string, priority: number, delivery: XmlElement): XmlElement =>
	element('ServiceInstance', {priority, id}, delivery);

const identifierBased = (contentType: string, uri: string): XmlElement =>
	element('IdentifierBasedDeliveryParameters', {contentType}, uri);

const satelliteDelivery = (satellite: SatelliteFacts): XmlElement =>
	element(
		'DVBSDeliveryParameters',
		{},
		element('DVBTriplet', {
			origNetId: satellite.originalNetworkId,
			tsId: satellite.transportStreamId,
			serviceId: satellite.serviceId,
		}),
		text('OrbitalPosition', satellite.orbitalPositionDegrees),
		text('Frequency', Math.round(satellite.frequencyKhz / 10)),
		text('Polarization', satellite.polarization),
		text('SymbolRate', satellite.symbolRateKsps),
		text('RollOff', satellite.rollOff),
		text('ModulationSystem', satellite.system),
		text('ModulationType', satellite.modulation),
		text('FEC', satellite.codeRate),
	);

/** HLS has no element of its own in the base schema; TS 103 770 annex G names it by an identifier, as for Native IP. */
const webDelivery = (contentType: string, url: string): XmlElement =>
	contentType === 'application/dash+xml'
		? element('DASHDeliveryParameters', {}, element('UriBasedLocation', {contentType}, text('dt:URI', url)))
		: identifierBased(contentType, url);

const instancesOf = (facts: SignallingFacts, title: Title): readonly XmlElement[] => {
	const {webBaseUrl, objectBaseUri, network} = facts;
	const nativeIp = title.manifests.map(({uri, contentType}, index) =>
		instance(`nip${index}`, instancePriority.nativeIp, identifierBased(contentType, uri)),
	);
	const satellite =
		network.satellite === undefined
			? []
			: [instance('sat', instancePriority.satellite, satelliteDelivery(network.satellite))];
	const web = title.manifests.flatMap(({uri, contentType}, index) =>
		webBaseUrl !== undefined && uri.startsWith(objectBaseUri)
			? [
					instance(
						`web${index}`,
						instancePriority.web,
						webDelivery(contentType, webBaseUrl + uri.slice(objectBaseUri.length)),
					),
				]
			: [],
	);
	return [...nativeIp, ...satellite, ...web];
};

const logoElement = (uri: string): XmlElement => {
	const extension = /\.\w+$/u.exec(uri)?.[0].toLowerCase() ?? '';
	return element(
		'RelatedMaterial',
		{},
		element('tva:HowRelated', {href: logoRole}),
		element('tva:MediaLocator', {}, element('tva:MediaUri', {contentType: imageTypes[extension] ?? 'image/png'}, uri)),
	);
};

const serviceElement = (facts: SignallingFacts, title: Title, version: number): XmlElement =>
	element(
		'Service',
		{version},
		text('UniqueIdentifier', serviceIdentifierOf(facts, title.id)),
		instancesOf(facts, title),
		text('ServiceName', title.name),
		text('ProviderName', facts.operator.name),
		title.imageUri === undefined ? undefined : logoElement(title.imageUri),
		element('ServiceType', {href: 'urn:dvb:metadata:cs:ServiceTypeCS:2019:linear'}),
		title.description === undefined ? undefined : text('ServiceDescription', title.description),
	);

/** A channel number belongs to the first service that claims it; a table with it twice would be ambiguous. */
const numberedTitles = (titles: readonly Title[]): readonly (Title & {readonly channelNumber: number})[] => {
	const taken = new Set<number>();
	return titles.flatMap((title) => {
		const {channelNumber} = title;
		if (channelNumber === undefined || taken.has(channelNumber)) {
			return [];
		}
		taken.add(channelNumber);
		return [{...title, channelNumber}];
	});
};

const lcnElement = (facts: SignallingFacts, titles: readonly Title[]): XmlElement | undefined => {
	const numbers = numberedTitles(titles).map((title) =>
		element('LCN', {channelNumber: title.channelNumber, serviceRef: serviceIdentifierOf(facts, title.id)}),
	);
	return numbers.length === 0 ? undefined : element('LCNTableList', {}, element('LCNTable', {}, numbers));
};

/** The DVB-I service list (TS 103 770, namespace of V1.2.1): every live channel with each way to receive it. */
export const writeServiceList = (facts: SignallingFacts, versions: VersionBook): string => {
	const titles = liveTitlesOf(facts);
	const services = titles.map((title) => {
		const identifier = serviceIdentifierOf(facts, title.id);
		const unversioned = serialiseDocument(serviceElement(facts, title, 0));
		return serviceElement(facts, title, versions.stamp(`service ${identifier}`, unversioned).version);
	});
	const list = (version: number): string =>
		serialiseDocument(
			element(
				'ServiceList',
				{
					xmlns: 'urn:dvb:metadata:servicediscovery:2024',
					'xmlns:dt': 'urn:dvb:metadata:servicediscovery-types:2023',
					'xmlns:tva': 'urn:tva:metadata:2024',
					id: serviceListIdOf(facts),
					version,
					'xml:lang': facts.operator.language,
				},
				text('Name', facts.operator.name),
				text('ProviderName', facts.operator.name),
				lcnElement(facts, titles),
				services,
			),
		);
	return list(versions.stamp('service-list', list(0)).version);
};
