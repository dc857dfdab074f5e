import type {IncomingHttpHeaders} from 'node:http';

/**
 * Whether a browser's request comes from our own page: beside SameSite=Strict, the second lock against requests that
 * another site makes with a person's cookie. What sends neither header is no browser, and has no one else's cookie.
 */
export const isSameOrigin = (headers: IncomingHttpHeaders, publicUrl?: string): boolean => {
	const {origin, host} = headers;
	if (origin !== undefined) {
		const url = URL.parse(origin);
		return url !== null && (url.host === host || (publicUrl !== undefined && url.origin === new URL(publicUrl).origin));
	}
	const site = headers['sec-fetch-site'];
	return site === undefined || site === 'same-origin' || site === 'none';
};
