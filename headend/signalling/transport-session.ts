import type {GatewaySession, RepairParameters} from '#appliance/contract/gateway-session.ts';
import {element, text, type XmlElement} from '#headend/signalling/xml-element.ts';

const fluteProtocol = 'urn:dvb:metadata:cs:MulticastTransportProtocolCS:2019:FLUTE';

/** An xs:duration of TS 103 769's acquisition latencies, for example `PT0.5S`. */
export const durationOf = (milliseconds: number): string => `PT${milliseconds / 1000}S`;

const endpointElement = ({endpoint}: GatewaySession): XmlElement =>
	element(
		'EndpointAddress',
		{},
		endpoint.source === undefined ? undefined : text('NetworkSourceAddress', endpoint.source),
		text('NetworkDestinationGroupAddress', endpoint.group),
		text('TransportDestinationPort', endpoint.port),
		endpoint.tsi === undefined ? undefined : text('MediaTransportSessionIdentifier', endpoint.tsi),
	);

/** Absent for Compact No-Code (TS 103 769 annex F); with FLUTE the repair symbols share the session's endpoint. */
const fecElement = ({fecEncodingId, fecOverheadPercent}: GatewaySession): XmlElement | undefined =>
	fecEncodingId === 0
		? undefined
		: element(
				'ForwardErrorCorrectionParameters',
				{},
				text('SchemeIdentifier', `urn:ietf:rmt:fec:encoding:${fecEncodingId}`),
				// The schema wants a positive integer.
				text('OverheadPercentage', Math.max(1, Math.round(fecOverheadPercent))),
			);

const repairElement = (repair: RepairParameters | undefined): XmlElement | undefined =>
	repair === undefined
		? undefined
		: element(
				'UnicastRepairParameters',
				{
					transportObjectBaseURI: repair.objectBaseUri,
					transportObjectReceptionTimeout: Math.round(repair.receptionTimeoutMs),
					fixedBackOffPeriod: Math.round(repair.fixedBackOffMs),
					randomBackOffPeriod: Math.round(repair.randomBackOffMs),
				},
				repair.baseUrls.map(({url, weight}) => element('BaseURL', {relativeWeight: weight}, url)),
			);

/** What every kind of transport session begins with, in the order of TS 103 769 annex C. */
export const transportElements = (
	session: GatewaySession,
	repair: RepairParameters | undefined,
): readonly (XmlElement | undefined)[] => [
	element('TransportProtocol', {protocolIdentifier: fluteProtocol, protocolVersion: 1}),
	endpointElement(session),
	element('BitRate', {maximum: Math.max(1, Math.round(session.bitrateMaxBps))}),
	fecElement(session),
	repairElement(session.repair ?? repair),
];
