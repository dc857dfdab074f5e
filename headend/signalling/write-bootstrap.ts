import {gatewayDocument} from '#headend/signalling/gateway-document.ts';
import {liveTitlesOf, type SignallingFacts, serviceIdentifierOf} from '#headend/signalling/signalling-facts.ts';
import {durationOf, transportElements} from '#headend/signalling/transport-session.ts';
import {element, type XmlElement} from '#headend/signalling/xml-element.ts';

/** An object of the announcement carousel and how often it comes. */
export type AnnouncedObject = {readonly uri: string; readonly acquisitionMs: number};

/** Manifests and initialisation segments of live services go round at least this often. */
const manifestAcquisitionMs = 2000;

const carouselElement = (...children: readonly XmlElement[]): XmlElement | undefined =>
	children.length === 0 ? undefined : element('ObjectCarousel', {}, ...children);

/** Without `id` and `sessionIdleTimeout`, as both operators on air write it; FDT digests give integrity. */
const sessionAttributes = {transportSecurity: 'integrity'} as const;

/**
 * The bootstrap of the announcement channel (TS 103 876 clause 8): where the announcement itself is, what it carries,
 * and every content session that a gateway may join without reading further.
 */
export const writeBootstrap = (facts: SignallingFacts, announced: readonly AnnouncedObject[]): string => {
	const {announcement, content, repair, validUntilMs} = facts;
	const resources = announced.map(({uri, acquisitionMs}) =>
		element('ResourceLocator', {targetAcquisitionLatency: durationOf(acquisitionMs)}, uri),
	);
	const liveCarousel = liveTitlesOf(facts).flatMap((title) => {
		const reference = {
			targetAcquisitionLatency: durationOf(manifestAcquisitionMs),
			serviceIdRef: serviceIdentifierOf(facts, title.id),
		};
		return [element('PresentationManifests', reference), element('InitSegments', reference)];
	});
	return gatewayDocument(
		validUntilMs,
		element(
			'MulticastGatewayConfigurationTransportSession',
			sessionAttributes,
			transportElements(announcement, undefined),
			carouselElement(...resources),
		),
		...content.map((session) =>
			element(
				'MulticastGatewayConfigurationTransportSession',
				{serviceClass: session.serviceClass, ...sessionAttributes},
				transportElements(session, repair),
				session.carries === 'live' ? carouselElement(...liveCarousel) : undefined,
			),
		),
	);
};
