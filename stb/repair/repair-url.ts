import {CodedError} from '#appliance/error/coded-error.ts';
import type {StbErrorCode} from '#stb/error-code.ts';

/**
 * The URL at which a repair server holds an object: base URL + (object URI - transportObjectBaseURI), TS 103 769 clause 9.
 * An object outside of the base cannot be repaired there, and a remainder that climbs out of the base URL is refused.
 */
export const repairUrl = (options: {
	readonly objectUri: string;
	readonly objectBaseUri: string;
	readonly baseUrl: string;
}): string => {
	const {objectUri, objectBaseUri, baseUrl} = options;
	const outside = (): CodedError<StbErrorCode> =>
		new CodedError<StbErrorCode>('STB_REPAIR_URI_OUTSIDE', {
			message: 'This object lies outside of what its repair servers hold.',
			details: {objectUri, objectBaseUri, baseUrl},
		});
	if (!objectUri.startsWith(objectBaseUri)) {
		throw outside();
	}
	const remainder = objectUri.slice(objectBaseUri.length);
	const joint = baseUrl.endsWith('/') || remainder.startsWith('/') ? '' : '/';
	const base = URL.parse(baseUrl);
	const url = URL.parse(`${baseUrl}${joint}${remainder}`);
	if (base === null || url === null || url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) {
		throw outside();
	}
	return url.href;
};
