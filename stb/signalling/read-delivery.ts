import {z} from 'zod';
import {gatewayHost} from '#appliance/contract/object-uri.ts';
import {childOf, childText, type XmlNode} from '#appliance/xml/parse-xml.ts';
import {readEntry} from '#stb/signalling/read-entry.ts';
import {decimalSchema} from '#stb/signalling/session-schema.ts';
import type {ProblemList} from '#stb/signalling/signalling-error.ts';

/** One way to receive a service. */
export type Delivery =
	/** On the carousel: `uri` is the manifest's transport object URI under `http://dvb.gw/`. */
	| {readonly kind: 'native-ip'; readonly contentType: string; readonly uri: string}
	| {readonly kind: 'web'; readonly contentType: string; readonly uri: string}
	| {
			readonly kind: 'satellite';
			readonly serviceId: number;
			readonly originalNetworkId?: number | undefined;
			readonly transportStreamId?: number | undefined;
			readonly orbitalPositionDegrees?: number | undefined;
			readonly frequencyKhz?: number | undefined;
	  };

type Place = {readonly where: string; readonly problems: ProblemList};

const hlsType = 'application/vnd.apple.mpegurl';

const locationSchema = z.object({
	contentType: z.string().min(1).max(200).toLowerCase(),
	uri: z
		.string()
		.max(1024)
		.refine((text) => /^https?:\/\//iu.test(text) && URL.canParse(text), {error: 'must be an http URL'}),
});

const word = decimalSchema(65_535);

const satelliteSchema = z.object({
	serviceId: word,
	originalNetworkId: word.optional(),
	transportStreamId: word.optional(),
	orbitalPositionDegrees: z
		.string()
		.regex(/^-?\d{1,3}(?:\.\d{1,4})?$/u)
		.transform(Number)
		.optional(),
	/** Written in units of 10 kHz. */
	frequencyKhz: decimalSchema(10 ** 8)
		.transform((value) => value * 10)
		.optional(),
});

/** The delivery parameters of a ServiceInstance; undefined when we know none of them, or they are broken. */
export const readDelivery = (instance: XmlNode, place: Place): Delivery | undefined => {
	const identifier = childOf(instance, 'IdentifierBasedDeliveryParameters');
	if (identifier !== undefined) {
		return readLocation({contentType: identifier.attributes.get('contentType'), uri: identifier.text}, place);
	}
	const dash = childOf(childOf(instance, 'DASHDeliveryParameters'), 'UriBasedLocation');
	if (dash !== undefined) {
		return readLocation({contentType: dash.attributes.get('contentType'), uri: childText(dash, 'URI')}, place);
	}
	const other = childOf(instance, 'OtherDeliveryParameters');
	if (other?.attributes.get('extensionName') === 'vnd.apple.mpegurl') {
		const uri = childText(childOf(other, 'UriBasedLocation'), 'URI') ?? other.text;
		return readLocation({contentType: hlsType, uri}, place);
	}
	const satellite = childOf(instance, 'DVBSDeliveryParameters');
	return satellite === undefined ? undefined : readSatellite(satellite, place);
};

/** The host decides: what is named under the gateway's own host travels on the carousel (TS 103 876). */
const readLocation = (raw: unknown, place: Place): Delivery | undefined => {
	const location = readEntry(locationSchema, raw, place);
	if (location === undefined) {
		return undefined;
	}
	return {kind: new URL(location.uri).hostname === gatewayHost ? 'native-ip' : 'web', ...location};
};

const readSatellite = (node: XmlNode, place: Place): Delivery | undefined => {
	const triplet = childOf(node, 'DVBTriplet')?.attributes;
	const satellite = readEntry(
		satelliteSchema,
		{
			serviceId: triplet?.get('serviceId'),
			originalNetworkId: triplet?.get('origNetId'),
			transportStreamId: triplet?.get('tsId'),
			orbitalPositionDegrees: childText(node, 'OrbitalPosition'),
			frequencyKhz: childText(node, 'Frequency'),
		},
		place,
	);
	return satellite === undefined ? undefined : {kind: 'satellite', ...satellite};
};
