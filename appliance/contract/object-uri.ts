import {CodedError} from '#appliance/error/coded-error.ts';

/** The gateway's own host name, under which everything on the carousel is addressed (TS 103 876). */
export const gatewayHost = 'dvb.gw';

/** An absolute object URI in one spelling: `http://dvb.gw/<operator>/<path>`, no query, no fragment, no dot segments. */
export type ObjectUri = string & {readonly __brand: 'ObjectUri'};

const uriCharactersMax = 1024;
const pathSegmentBytesMax = 255;

/** Control characters, backslash and NUL have no business in a path that becomes a file's name. */
const forbiddenInPath = /[\p{Cc}\\]/u;

const refuse = (text: string, why: string): CodedError =>
	new CodedError('APPLIANCE_OBJECT_URI_INVALID', {
		message: `This is not an object's URI: ${why}.`,
		details: {uri: text.slice(0, uriCharactersMax), status: 400},
	});

/**
 * Parses and normalises an object URI from outside (an FDT, a request, a playlist). Scheme and host are kept as they are
 * (`http://dvb.gw` for ours), the path is percent-normalised by WHATWG rules; query and fragment are dropped.
 * @throws CodedError APPLIANCE_OBJECT_URI_INVALID
 */
export const parseObjectUri = (text: string): ObjectUri => {
	if (text.length > uriCharactersMax) {
		throw refuse(text, `it is longer than ${uriCharactersMax} characters`);
	}
	const url = URL.parse(text);
	if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
		throw refuse(text, 'it is not an absolute http URI');
	}
	return `${url.protocol}//${url.host}${normalisePath(url.pathname, text)}` as ObjectUri;
};

/** The URI of a path below the gateway host, for example `/streamverse/vod/a.m4s`. */
export const objectUriOfPath = (path: string): ObjectUri => parseObjectUri(`http://${gatewayHost}${path}`);

/** The path of an object URI with its leading slash, percent-encoded. */
export const pathOfObjectUri = (uri: ObjectUri): string => new URL(uri).pathname;

const normalisePath = (pathname: string, text: string): string => {
	let decoded: string;
	try {
		decoded = decodeURIComponent(pathname);
	} catch (error) {
		throw new CodedError('APPLIANCE_OBJECT_URI_INVALID', {
			message: 'This is not an object’s URI: its percent-encoding is broken.',
			cause: error,
			details: {uri: text, status: 400},
		});
	}
	if (forbiddenInPath.test(decoded)) {
		throw refuse(text, 'its path holds a control character or a backslash');
	}
	const segments = decoded.split('/').slice(1);
	if (
		segments.some((segment) => segment === '..' || segment === '.' || Buffer.byteLength(segment) > pathSegmentBytesMax)
	) {
		throw refuse(text, 'a segment of its path is a dot segment or too long');
	}
	return `/${segments.map((segment) => encodeURIComponent(segment)).join('/')}`;
};
