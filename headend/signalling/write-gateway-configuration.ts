import {createHash} from 'node:crypto';
import type {Title} from '#appliance/contract/title-schema.ts';
import {gatewayDocument} from '#headend/signalling/gateway-document.ts';
import {
	type ContentSession,
	liveTitlesOf,
	type SignallingFacts,
	serviceIdentifierOf,
} from '#headend/signalling/signalling-facts.ts';
import {durationOf, transportElements} from '#headend/signalling/transport-session.ts';
import {element, type XmlElement} from '#headend/signalling/xml-element.ts';

/** A session without a packet for this long has ended as far as a gateway is concerned. */
const sessionIdleTimeoutMs = 10_000;
const manifestAcquisitionMs = 2000;

/** TS 103 769 tables spell HLS's type so; readers compare without case. */
const contentTypeOf = (contentType: string): string =>
	contentType === 'application/vnd.apple.mpegurl' ? 'application/vnd.apple.mpegURL' : contentType;

/** An xs:NMTOKEN; ids that hold other characters get a digest's end, so that two never become one. */
const tokenOf = (id: string): string => {
	const plain = id.replace(/[^\w.-]/gu, '_');
	return plain === id ? plain : `${plain}-${createHash('sha256').update(id).digest('hex').slice(0, 8)}`;
};

const manifestIdOf = (title: Title, index: number): string =>
	`${tokenOf(title.id)}_${title.manifests[index]?.contentType === 'application/dash+xml' ? 'dash' : 'hls'}${index}`;

const webUrlOf = (facts: SignallingFacts, uri: string): string =>
	facts.webBaseUrl !== undefined && uri.startsWith(facts.objectBaseUri)
		? facts.webBaseUrl + uri.slice(facts.objectBaseUri.length)
		: uri;

const locatorElement = (facts: SignallingFacts, title: Title, index: number): XmlElement | undefined => {
	const manifest = title.manifests[index];
	return manifest === undefined
		? undefined
		: element(
				'PresentationManifestLocator',
				{
					manifestId: manifestIdOf(title, index),
					contentType: contentTypeOf(manifest.contentType),
					transportObjectURI: manifest.uri,
					contentPlaybackPathPattern: `*${URL.parse(manifest.uri)?.pathname ?? ''}`,
				},
				webUrlOf(facts, manifest.uri),
			);
};

const transportSessionElement = (facts: SignallingFacts, title: Title, session: ContentSession): XmlElement =>
	element(
		'MulticastTransportSession',
		{
			id: tokenOf(session.id),
			serviceClass: session.serviceClass,
			contentIngestMethod: 'push',
			transmissionMode: 'resource',
			transportSecurity: 'integrity',
			sessionIdleTimeout: sessionIdleTimeoutMs,
		},
		transportElements(session, facts.repair),
		// One session carries every component of the service, so a generic identifier names them together.
		title.manifests.map((_, index) =>
			element('ServiceComponentIdentifier', {
				'xsi:type': 'GenericComponentIdentifierType',
				manifestIdRef: manifestIdOf(title, index),
				componentIdentifier: 'all',
			}),
		),
		element(
			'ObjectCarousel',
			{},
			element('PresentationManifests', {targetAcquisitionLatency: durationOf(manifestAcquisitionMs)}),
			element('InitSegments', {targetAcquisitionLatency: durationOf(manifestAcquisitionMs)}),
		),
	);

/**
 * The full in-band configuration (TS 103 769 clause 10.2): the sessions that carry files, and one MulticastSession per
 * live service. Titles on demand are not services here; the list of titles tells of them.
 */
export const writeGatewayConfiguration = (facts: SignallingFacts): string => {
	const files = facts.content.filter((session) => session.carries === 'files');
	const live = facts.content.filter((session) => session.carries === 'live');
	return gatewayDocument(
		facts.validUntilMs,
		...files.map((session) =>
			element(
				'MulticastGatewayConfigurationTransportSession',
				{serviceClass: session.serviceClass, transportSecurity: 'integrity'},
				transportElements(session, facts.repair),
			),
		),
		...liveTitlesOf(facts).map((title) =>
			element(
				'MulticastSession',
				{serviceIdentifier: serviceIdentifierOf(facts, title.id)},
				title.manifests.map((_, index) => locatorElement(facts, title, index)),
				live.map((session) => transportSessionElement(facts, title, session)),
			),
		),
	);
};
