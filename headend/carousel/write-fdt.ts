import {toNtpSeconds} from '#appliance/time/clock.ts';
import type {TransportObject} from '#headend/carousel/transport-object.ts';
import type {FecGeometry} from '#headend/schedule/wire-size.ts';
import {escapeAttribute} from '#headend/signalling/xml-element.ts';

export type FdtFile = {readonly toi: number; readonly object: TransportObject; readonly fec: FecGeometry};

/**
 * FLUTE v1's namespace as TS 26.346 L.4 fixes it, the MBMS extensions that TS 103 769 Annex F takes over, DVB's digest
 * attributes, and ours.
 */
const namespaces = {
	xmlns: 'urn:IETF:metadata:2005:FLUTE:FDT',
	'xmlns:mbms2007': 'urn:3GPP:metadata:2007:MBMS:FLUTE:FDT',
	'xmlns:mbms2012': 'urn:3GPP:metadata:2012:MBMS:FLUTE:FDT',
	'xmlns:dvb': 'urn:dvb:metadata:ExtendedFileDeliveryTable:2022',
	'xmlns:sv': 'urn:streamverse:metadata:carousel:2026',
} as const;

const attributesOf = (attributes: Readonly<Record<string, string | number | undefined>>): string =>
	Object.entries(attributes)
		.filter(([, value]) => value !== undefined)
		.map(([name, value]) => ` ${name}="${escapeAttribute(String(value))}"`)
		.join('');

/** An FDT instance (RFC 3926 section 3.4.2). `files` is never empty: an instance without a File is not one. */
export const writeFdt = (instance: {
	readonly expiresMs: number;
	readonly files: readonly FdtFile[];
	readonly md5: boolean;
	/** What was written of each file before: an object stands in many instances and never says anything else of itself. */
	readonly written?: WeakMap<FdtFile, string>;
}): string => {
	const {written = new WeakMap<FdtFile, string>()} = instance;
	const elementOf = (file: FdtFile): string => {
		const element = written.get(file) ?? fileElement(file, instance.md5);
		written.set(file, element);
		return element;
	};
	const files = instance.files.map(elementOf).join('');
	const root = attributesOf({...namespaces, Expires: toNtpSeconds(instance.expiresMs)});
	return `<?xml version="1.0" encoding="UTF-8"?>\n<FDT-Instance${root}>${files}</FDT-Instance>\n`;
};

const fileElement = ({toi, object, fec}: FdtFile, md5: boolean): string => {
	const attributes = attributesOf({
		TOI: toi,
		'Content-Location': object.contentLocation,
		'Content-Length': object.contentLength,
		'Transfer-Length': object.transferLength,
		'Content-Type': object.contentType,
		'Content-Encoding': object.contentEncoding,
		// Of an encoded object RFC 2616 section 14.15 means the bytes on air, while receivers exist (ypo/flute) that check
		// the decoded ones; it would lose the object there, and the SHA-256 digest stands beside it anyway.
		'Content-MD5': md5 && object.contentEncoding === undefined ? object.md5 : undefined,
		'FEC-OTI-FEC-Encoding-ID': fec.encodingId,
		'FEC-OTI-Maximum-Source-Block-Length': fec.sourceBlockSymbolsMax,
		'FEC-OTI-Encoding-Symbol-Length': fec.symbolBytes,
		'FEC-OTI-Max-Number-of-Encoding-Symbols': fec.encodingId === 0 ? undefined : fec.encodingSymbolsMax,
		'mbms2012:File-ETag': object.entityTag,
		'dvb:Content-Digest': `sha-256=:${Buffer.from(object.sha256, 'hex').toString('base64')}:`,
		'sv:priority': object.priority,
		'sv:service': object.service,
		'sv:expires': object.expiresMs === undefined ? undefined : toNtpSeconds(object.expiresMs),
	});
	const cacheControl =
		object.freshUntilMs === undefined
			? ''
			: `<mbms2007:Cache-Control><mbms2007:Expires>${toNtpSeconds(object.freshUntilMs)}</mbms2007:Expires></mbms2007:Cache-Control>`;
	return cacheControl === '' ? `<File${attributes}/>` : `<File${attributes}>${cacheControl}</File>`;
};
