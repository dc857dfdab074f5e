import {type Priority, prioritySchema} from '#appliance/contract/catalogue-schema.ts';
import {gatewayHost, parseObjectUri} from '#appliance/contract/object-uri.ts';
import {fromNtpSeconds} from '#appliance/time/clock.ts';
import type {FluteObject} from '#native/flute/receiver-event.ts';

/** What the box makes of an object that the FDT describes. */
export type ArrivalFacts = {
	readonly object: FluteObject;
	/** `signalling` is read by the box itself and never cached: its names are URNs (TS 103 876 clause 8). */
	readonly kind: 'content' | 'signalling';
	readonly uri: string;
	readonly encoding: 'identity' | 'gzip';
	/** Of the identity bytes; unknown when only the compressed length is told. */
	readonly sizeBytes: number | undefined;
	readonly contentType: string;
	readonly priority: Priority;
	/** Of the identity bytes, lower-case hex. */
	readonly sha256: string | undefined;
	readonly entityTag: string | undefined;
	readonly expiresMs: number;
	readonly freshUntilMs: number | undefined;
};

export type ArrivalDescription =
	| {readonly kind: 'described'; readonly facts: ArrivalFacts}
	| {readonly kind: 'refused'; readonly reason: 'uri' | 'encoding'};

const contentTypeCharactersMax = 200;
const entityTagPattern = /^"([0-9a-f]{64})"$/u;
/** What may stand in a header of ours. The FDT is XML, which knows line feeds and every alphabet. */
const headerTextPattern = /^[\x20-\x7e]+$/u;
/** Strong ones only: a weak tag does not name bytes (RFC 9110 section 8.8.1). */
const strongTagPattern = /^"[\x21\x23-\x7e]{0,200}"$/u;

/** Lower is sooner; live first, then what the headend calls high, medium and low. */
export const priorityRank: Readonly<Record<Priority, number>> = {live: 1, high: 2, medium: 3, low: 4};

/**
 * Reads an FDT entry's meaning. The entry came through the air and proves nothing: its name must be one that this box
 * may serve, everything else is bounded or has a default.
 */
export const describeArrival = (
	object: FluteObject,
	{nowMs, objectExpiryMs}: {readonly nowMs: number; readonly objectExpiryMs: number},
): ArrivalDescription => {
	const uri = arrivalUri(object.contentLocation);
	if (uri === undefined) {
		return {kind: 'refused', reason: 'uri'};
	}
	const encoding = arrivalEncoding(object.contentEncoding);
	if (encoding === undefined) {
		return {kind: 'refused', reason: 'encoding'};
	}
	const priority = prioritySchema.safeParse(object.extension['priority']).data ?? 'medium';
	const tagged = entityTagPattern.exec(object.entityTag ?? '')?.[1];
	const facts: ArrivalFacts = {
		object,
		...uri,
		encoding,
		sizeBytes: encoding === 'identity' ? object.transferLength : object.contentLength,
		contentType: contentTypeFrom(object.contentType),
		priority,
		sha256: tagged ?? (encoding === 'identity' ? object.sha256 : undefined),
		entityTag: strongTagPattern.test(object.entityTag ?? '') ? object.entityTag : undefined,
		expiresMs: cacheExpiry(object.extension['expires'], nowMs + objectExpiryMs),
		freshUntilMs: object.cacheExpiresMs,
	};
	return {kind: 'described', facts};
};

const contentTypeFrom = (text: string | undefined): string =>
	text !== undefined && text.length <= contentTypeCharactersMax && headerTextPattern.test(text)
		? text
		: 'application/octet-stream';

const arrivalUri = (location: string): {readonly kind: ArrivalFacts['kind']; readonly uri: string} | undefined => {
	if (location.startsWith('urn:')) {
		return {kind: 'signalling', uri: location};
	}
	try {
		const uri = parseObjectUri(location);
		return new URL(uri).host === gatewayHost ? {kind: 'content', uri} : undefined;
	} catch {
		// The one thing that parsing can find is that the sender's name is none; the caller refuses the object.
		return undefined;
	}
};

const arrivalEncoding = (encoding: string | undefined): ArrivalFacts['encoding'] | undefined => {
	switch (encoding?.toLowerCase() ?? '') {
		case '':
		case 'identity':
			return 'identity';
		case 'gzip':
		case 'x-gzip':
			return 'gzip';
		default:
			return undefined;
	}
};

/** The catalogue may let an object expire sooner than the box's default, or later: NTP seconds, as all of an FDT's times. */
const cacheExpiry = (text: string | undefined, defaultMs: number): number =>
	/^\d{1,12}$/u.test(text ?? '') ? fromNtpSeconds(Number(text)) : defaultMs;
