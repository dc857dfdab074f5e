import {createHash, randomBytes} from 'node:crypto';

const secretBytes = 32;

/** 256 random bits: what a cookie or a token is. */
export const makeSecret = (): string => randomBytes(secretBytes).toString('base64url');

/** What is kept of a secret. It has too many bits to be guessed, hence needs no slow hash. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** 120 bits for a person to type once: groups of letters and digits that cannot be taken for each other. */
export const makeOneTimePassword = (): string => {
	const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789x';
	const letters = [...randomBytes(24)].map((byte) => alphabet[byte % alphabet.length]).join('');
	return letters.replaceAll(/(.{6})(?=.)/gu, '$1-');
};
