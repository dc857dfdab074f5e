import {element, serialiseDocument, type XmlElement} from '#headend/signalling/xml-element.ts';

const namespace = 'urn:dvb:metadata:MulticastSessionConfiguration:2024';

/** On a carousel a configuration ends when the next one replaces it; this is the date that says so. */
const untilReplaced = '2099-12-31T23:59:59';

/** An MPEG-7 time point: no zone means UTC, and the letter Z is not allowed. */
const timePointOf = (unixMs: number): string => new Date(unixMs).toISOString().slice(0, 19);

/**
 * The root that the bootstrap and the gateway configuration share. `validUntil`, because `validityPeriod` must not stand
 * in an in-band copy (TS 103 769 clause 10.2); the version attribute in the prefixed form that is on air.
 */
export const gatewayDocument = (validUntilMs: number | undefined, ...children: readonly XmlElement[]): string =>
	serialiseDocument(
		element(
			'MulticastGatewayConfiguration',
			{
				xmlns: namespace,
				'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
				'xmlns:ext': 'urn:dvb:metadata:Extensibility:2024',
				'ext:schemaVersion': 2,
				validUntil: validUntilMs === undefined ? untilReplaced : timePointOf(validUntilMs),
			},
			...children,
		),
	);
