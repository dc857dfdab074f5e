import {createPrivateKey, createPublicKey, webcrypto} from 'node:crypto';

/** The one kind of key that the fleet makes and certifies: P-256 with SHA-256 (RFC 5480, NIST SP 800-57). */
export const keyAlgorithm = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'} as const;

export type AuthorityKey = {readonly privateKey: webcrypto.CryptoKey; readonly publicKey: webcrypto.CryptoKey};

export const makeKey = async (): Promise<AuthorityKey> =>
	await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);

export const keyToPem = async ({privateKey}: Pick<AuthorityKey, 'privateKey'>): Promise<string> => {
	const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey));
	return createPrivateKey({key: bytes, format: 'der', type: 'pkcs8'}).export({type: 'pkcs8', format: 'pem'}).toString();
};

/** Reads PKCS #8 or SEC 1 in PEM. What is not a P-256 key is refused by the import. */
export const keyFromPem = async (pem: string): Promise<AuthorityKey> => {
	const key = createPrivateKey(pem);
	const pkcs8 = key.export({type: 'pkcs8', format: 'der'});
	const spki = createPublicKey(key).export({type: 'spki', format: 'der'});
	return {
		privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, keyAlgorithm, false, ['sign']),
		publicKey: await webcrypto.subtle.importKey('spki', spki, keyAlgorithm, true, ['verify']),
	};
};
