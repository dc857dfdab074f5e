import type {NetworkFacts, SatelliteFacts, SignallingFacts} from '#headend/signalling/signalling-facts.ts';
import {element, serialiseDocument, text, type XmlElement} from '#headend/signalling/xml-element.ts';

/** The root attributes of the two Native IP files as they are on air (TS 103 876). */
export const nativeIpAttributes = {
	xmlns: 'urn:dvb:metadata:nativeip:2024',
	'xmlns:ext': 'urn:dvb:metadata:Extensibility:2024',
	'ext:schemaVersion': 1,
} as const;

const positionElement = (satellite: SatelliteFacts): XmlElement =>
	element(
		'SatellitePosition',
		{},
		text('OrbitalPosition', Math.abs(satellite.orbitalPositionDegrees)),
		text('West_East_flag', satellite.orbitalPositionDegrees < 0 ? 'West' : 'East'),
	);

/** Units of 10 kHz and of 1 ksym/s; element order as on air, which both operators share. */
const deliveryElement = (satellite: SatelliteFacts): XmlElement => {
	const s2x = satellite.system === 'DVB-S2X';
	return element(
		s2x ? 'DVBS2X_NIPDeliveryParameters' : 'DVBS2_NIPDeliveryParameters',
		{},
		s2x ? text('receiver_profiles', 'Broadcast services') : undefined,
		s2x ? text('S2X_mode', 'S2X') : undefined,
		text('Frequency', Math.round(satellite.frequencyKhz / 10)),
		text('Polarization', satellite.polarization),
		s2x ? undefined : text('Modulation_Type', satellite.modulation),
		text('Roll_off', satellite.rollOff),
		text('SymbolRate', satellite.symbolRateKsps),
		s2x ? undefined : text('FEC', satellite.codeRate),
		satellite.scramblingSequenceIndex === undefined
			? undefined
			: text('scrambling_sequence_index', satellite.scramblingSequenceIndex),
		text('input_stream_identifier', satellite.inputStreamIdentifier),
	);
};

/** What identifies our stream, as both files repeat it. */
export const streamIdElements = (network: NetworkFacts): readonly XmlElement[] => [
	text('NIPCarrierID', network.carrierId),
	text('NIPLinkID', network.linkId),
	text('NIPServiceID', network.serviceId),
];

/** The Network Information File (TS 103 876): which network this is and how to tune to it. */
export const writeNetworkInformation = ({network}: SignallingFacts, changedMs: number): string =>
	serialiseDocument(
		element(
			'NetworkInformationFile',
			nativeIpAttributes,
			text('VersionUpdate', new Date(changedMs).toISOString()),
			text('NIFType', 'Physical Network'),
			element(
				'ActualBroadcastNetwork',
				{},
				text('NetworkType', network.satellite === undefined ? 'Other' : 'Satellite'),
				text('NetworkName', network.name),
				text('NIPNetworkProviderName', network.providerName),
				network.satellite === undefined ? undefined : positionElement(network.satellite),
				text('NIPNetworkID', network.networkId),
				element(
					'NIPStream',
					{},
					text('LinkLayerFormat', network.linkLayerFormat),
					text('NIPStreamProviderName', network.providerName),
					streamIdElements(network),
					element('BootstrapStream', {}, text('BootstrapType', 'Physical Network'), text('Status', 'Active')),
					network.satellite === undefined ? undefined : deliveryElement(network.satellite),
				),
			),
		),
	);
