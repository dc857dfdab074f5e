/** With the prefix no subdomain and no plain-HTTP page can plant one (RFC 6265bis section 4.1.3.2); it needs TLS. */
export const sessionCookieName = (isSecure: boolean): string => (isSecure ? '__Host-streamverse' : 'streamverse');

const cookieCharactersMax = 4096;

export const readCookie = (header: string | undefined, name: string): string | undefined => {
	for (const pair of (header ?? '').slice(0, cookieCharactersMax).split(';')) {
		const [key, value] = pair.trim().split('=', 2);
		if (key === name && value !== undefined && value !== '') {
			return value;
		}
	}
	return undefined;
};

export type CookieOptions = {
	readonly isSecure: boolean;
	readonly maxAgeMs: number;
	/** Lax only where another site must be able to send the browser back with it. */
	readonly sameSite?: 'Strict' | 'Lax';
};

export const setCookie = (name: string, value: string, {isSecure, maxAgeMs, sameSite}: CookieOptions): string =>
	`${name}=${value}; Path=/; HttpOnly; SameSite=${sameSite ?? 'Strict'}; Max-Age=${Math.floor(maxAgeMs / 1000)}${isSecure ? '; Secure' : ''}`;
