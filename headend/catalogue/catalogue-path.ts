import {parseObjectUri} from '#appliance/contract/object-uri.ts';
import {hasCode} from '#appliance/error/coded-error.ts';
import {headendError} from '#headend/error-code.ts';

/** Where an object stands: `path` is percent-encoded and relative, `uri` = objectBaseUri + path. */
export type CataloguePath = {readonly path: string; readonly uri: string};

const pathCharactersMax = 900;
/** The carousel's own objects; nobody may shadow them. */
const reservedForSignalling = 'signalling/';
/** Written by the live ingest only. */
export const livePathPrefix = 'live/';

const refused = (path: string, why: string, cause?: unknown): Error =>
	headendError('HEADEND_PATH_REFUSED', {
		status: 400,
		message: `This path cannot name an object: ${why}.`,
		cause,
		details: {path: path.slice(0, pathCharactersMax)},
	});

/**
 * Parses the percent-encoded path of a request (without leading slash). Everything that could leave the operator's
 * base URI or a folder on a set-top's disk (dot segments, encoded slashes, empty segments, control characters) is
 * refused here, once.
 */
export const parseCataloguePath = (encodedPath: string, objectBaseUri: string): CataloguePath => {
	// A browser's URL parser folds dot segments silently; a client that sends them means no good.
	if (/(^|\/)(\.|%2e){1,2}(\/|$)|%2f|%5c|%00|[?#]/iu.test(encodedPath)) {
		throw refused(encodedPath, 'it holds a dot segment or an encoded slash');
	}
	let uri: string;
	try {
		uri = parseObjectUri(objectBaseUri + encodedPath);
	} catch (error) {
		if (!hasCode(error, 'APPLIANCE_OBJECT_URI_INVALID')) {
			throw error;
		}
		throw refused(encodedPath, 'it is no valid URI path', error);
	}
	const path = uri.slice(objectBaseUri.length);
	if (!uri.startsWith(objectBaseUri) || path.length > pathCharactersMax) {
		throw refused(encodedPath, `it leaves ${objectBaseUri} or is longer than ${pathCharactersMax} characters`);
	}
	if (path.split('/').includes('')) {
		throw refused(encodedPath, 'one of its segments is empty');
	}
	return {path, uri};
};

/** What a client may write by PUT /catalogue: neither the signalling nor what the live ingest owns. */
export const assertWritable = ({path}: CataloguePath): void => {
	if (path.startsWith(reservedForSignalling) || path.startsWith(livePathPrefix)) {
		throw headendError('HEADEND_PATH_RESERVED', {
			status: 403,
			message: 'signalling/ and live/ are written by the headend itself; choose another folder.',
			details: {path},
		});
	}
};
