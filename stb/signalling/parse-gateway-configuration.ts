import {z} from 'zod';
import type {
	GatewayConfiguration,
	GatewaySession,
	MulticastEndpoint,
	RepairParameters,
} from '#appliance/contract/gateway-session.ts';
import {childOf, childrenOf, childText, parseXml, requireRoot, type XmlNode} from '#appliance/xml/parse-xml.ts';
import {readEntry} from '#stb/signalling/read-entry.ts';
import {endpointSchema, repairSchema, sessionSchema} from '#stb/signalling/session-schema.ts';
import {createProblemList, type ProblemList, type SignallingProblem} from '#stb/signalling/signalling-error.ts';
import {parseTimePoint} from '#stb/signalling/time-point.ts';

export type ParsedGatewayConfiguration = GatewayConfiguration & {
	/** What was left out, and why. */
	readonly problems: readonly SignallingProblem[];
};

export const sessionsMax = 256;
export const servicesMax = 2000;
const manifestsMax = 16;
const endpointsMax = 16;

type Place = {readonly where: string; readonly problems: ProblemList};

/**
 * Reads a bootstrap or an in-band gateway configuration (TS 103 769 clause 10.2, any year's namespace). Every endpoint of
 * every FLUTE session becomes one session, each endpoint once; a broken session is told of and costs no other.
 * @throws CodedError APPLIANCE_XML_…
 */
export const parseGatewayConfiguration = (xml: string): ParsedGatewayConfiguration => {
	const root = requireRoot(parseXml(xml), 'MulticastGatewayConfiguration');
	const problems = createProblemList();
	const sessions = new Map<string, GatewaySession>();
	const collect = (nodes: readonly XmlNode[], where: string): void => {
		for (const [index, node] of nodes.entries()) {
			for (const session of readSession(node, {where: `${where}[${index}]`, problems})) {
				addSession(sessions, session, {where: `${where}[${index}]`, problems});
			}
		}
	};
	const gatewaySessions = 'MulticastGatewayConfigurationTransportSession';
	collect(childrenOf(root, gatewaySessions), gatewaySessions);
	const services = childrenOf(root, 'MulticastSession').flatMap((node, index) => {
		const place = {where: `MulticastSession[${index}]`, problems};
		collect(childrenOf(node, 'MulticastTransportSession'), `${place.where}/MulticastTransportSession`);
		const service = index < servicesMax ? readService(node, place) : tooMany(place, 'services');
		return service === undefined ? [] : [service];
	});
	return {
		validUntilMs: readValidUntil(root, problems),
		sessions: [...sessions.values()],
		services,
		problems: problems.all(),
	};
};

const tooMany = ({where, problems}: Place, what: string): undefined => {
	problems.add({code: 'STB_SIGNALLING_TOO_LARGE', where, message: `There are more ${what} than a gateway takes.`});
	return undefined;
};

const keyOf = ({group, port, source, tsi}: MulticastEndpoint): string =>
	`${group.toLowerCase()} ${port} ${source ?? ''} ${tsi ?? ''}`;

/** The same session may stand under every service that it carries; the first that tells of repair is kept. */
const addSession = (sessions: Map<string, GatewaySession>, session: GatewaySession, place: Place): void => {
	const key = keyOf(session.endpoint);
	const known = sessions.get(key);
	if (known !== undefined) {
		sessions.set(key, {...known, id: known.id ?? session.id, repair: known.repair ?? session.repair});
	} else if (sessions.size < sessionsMax) {
		sessions.set(key, session);
	} else {
		tooMany(place, 'sessions');
	}
};

/** The scheme's number in `urn:ietf:rmt:fec:encoding:<id>`. */
const schemeOf = (text: string | undefined): string => text?.slice(text.lastIndexOf(':') + 1) ?? '0';

/** A decimal percentage's whole part: some senders write a fraction. */
const wholeOf = (text: string | undefined): string => text?.split('.')[0] ?? '0';

const readSession = (node: XmlNode, place: Place): readonly GatewaySession[] => {
	const protocol = childOf(node, 'TransportProtocol')?.attributes.get('protocolIdentifier') ?? '';
	if (!protocol.endsWith(':FLUTE')) {
		const message = `Only FLUTE is received here, not ${protocol.slice(0, 200) || 'a session without a protocol'}.`;
		place.problems.add({code: 'STB_SIGNALLING_ENTRY_UNSUPPORTED', where: place.where, message});
		return [];
	}
	const fec = childOf(node, 'ForwardErrorCorrectionParameters');
	const bitrate = childOf(node, 'BitRate')?.attributes.get('maximum');
	const session = readEntry(
		sessionSchema,
		{
			id: node.attributes.get('id'),
			serviceClass: node.attributes.get('serviceClass'),
			bitrateMaxBps: bitrate,
			fecEncodingId: schemeOf(childText(fec, 'SchemeIdentifier')),
			fecOverheadPercent: wholeOf(childText(fec, 'OverheadPercentage')),
		},
		place,
	);
	if (session === undefined) {
		return [];
	}
	const repair = readRepair(node, place);
	return childrenOf(node, 'EndpointAddress')
		.slice(0, endpointsMax)
		.flatMap((address) => {
			const endpoint = readEntry(
				endpointSchema,
				{
					group: childText(address, 'NetworkDestinationGroupAddress'),
					port: childText(address, 'TransportDestinationPort'),
					source: childText(address, 'NetworkSourceAddress'),
					tsi: childText(address, 'MediaTransportSessionIdentifier'),
				},
				{...place, where: `${place.where}/EndpointAddress`},
			);
			return endpoint === undefined ? [] : [{...session, endpoint, repair}];
		});
};

/** Broken repair parameters cost the repair, not the session. */
const readRepair = (node: XmlNode, place: Place): RepairParameters | undefined => {
	const raw = childOf(node, 'UnicastRepairParameters');
	if (raw === undefined) {
		return undefined;
	}
	return readEntry(
		repairSchema,
		{
			objectBaseUri: raw.attributes.get('transportObjectBaseURI'),
			receptionTimeoutMs: raw.attributes.get('transportObjectReceptionTimeout'),
			fixedBackOffMs: raw.attributes.get('fixedBackOffPeriod'),
			randomBackOffMs: raw.attributes.get('randomBackOffPeriod'),
			baseUrls: childrenOf(raw, 'BaseURL').map((base) => ({
				url: base.text,
				weight: base.attributes.get('relativeWeight'),
			})),
		},
		{...place, where: `${place.where}/UnicastRepairParameters`},
	);
};

const serviceSchema = z.object({
	serviceIdentifier: z.string().min(1).max(500),
	manifests: z
		.array(z.object({uri: z.string().min(1).max(1024), contentType: z.string().min(1).max(200)}))
		.max(manifestsMax),
});

const readService = (node: XmlNode, place: Place): z.output<typeof serviceSchema> | undefined =>
	readEntry(
		serviceSchema,
		{
			serviceIdentifier: node.attributes.get('serviceIdentifier'),
			manifests: childrenOf(node, 'PresentationManifestLocator').map((locator) => ({
				// The transport object's URI is what travels; without one the manifest's own URL does.
				uri: locator.attributes.get('transportObjectURI') ?? locator.text,
				// Types compare without case (RFC 9110 section 8.3.1); TS 103 769 writes HLS's with capitals.
				contentType: locator.attributes.get('contentType')?.toLowerCase(),
			})),
		},
		place,
	);

const readValidUntil = (root: XmlNode, problems: ProblemList): number | undefined => {
	const text = root.attributes.get('validUntil');
	if (text === undefined) {
		return undefined;
	}
	const validUntilMs = parseTimePoint(text);
	if (validUntilMs === undefined) {
		problems.add({
			code: 'STB_SIGNALLING_ENTRY_INVALID',
			where: 'validUntil',
			message: 'This is not an MPEG-7 time point.',
		});
	}
	return validUntilMs;
};
