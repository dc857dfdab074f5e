import {createPrivateKey, generateKeyPairSync} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {IdentityErrorCode} from '#appliance/identity/error-code.ts';
import {writeDurably} from '#appliance/store/write-durably.ts';

/** Nobody but the supervisor's user reads it, from its first byte. */
export const keyMode = 0o600;

/**
 * The box's P-256 key (PKCS #8 in PEM) from `key.pem`, made at the first start. A key that cannot be read is an error and
 * is not replaced: its certificate would be lost with it, and a person may still save it.
 */
export const openBoxKey = async (directory: string): Promise<string> => {
	const filePath = path.join(directory, 'key.pem');
	try {
		const pem = await readFile(filePath, 'utf8');
		checkKey(pem);
		return pem;
	} catch (error) {
		if (!hasCode(error, 'ENOENT')) {
			throw new CodedError<IdentityErrorCode>('APPLIANCE_KEY_UNREADABLE', {
				message: `${filePath} is not the P-256 key of this box; restore it, or remove it and claim the box anew.`,
				cause: error,
			});
		}
	}
	const {privateKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'});
	const pem = privateKey.export({type: 'pkcs8', format: 'pem'}).toString();
	await writeDurably(filePath, pem, {mode: keyMode});
	return pem;
};

const checkKey = (pem: string): void => {
	const {asymmetricKeyType, asymmetricKeyDetails} = createPrivateKey(pem);
	if (asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
		throw new TypeError('not a P-256 key');
	}
};
