const pattern = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]+))?$/u;
const digitsMax = 9;

/**
 * A text whose order by bytes is that of semantic versioning 2.0.0 section 11; null for what is no version. A release
 * without a pre-release comes after those with one; numbers before words, by value; fewer identifiers first.
 */
export const releaseSortKey = (release: string): string | null => {
	const match = pattern.exec(release);
	if (match === null) {
		return null;
	}
	const [, major = '', minor = '', patch = '', prerelease] = match;
	const core = [major, minor, patch].map((number) => number.padStart(digitsMax, '0')).join('.');
	return prerelease === undefined ? `${core}~` : `${core}-${prerelease.split('.').map(identifierKey).join('!')}`;
};

/** `!` sorts below whatever an identifier may hold; the length of a number goes before its digits. */
const identifierKey = (identifier: string): string => {
	if (!/^\d+$/u.test(identifier)) {
		return `B${identifier}`;
	}
	const digits = identifier.replace(/^0+(?=\d)/u, '');
	return `A${String(digits.length).padStart(3, '0')}${digits}`;
};
