import 'reflect-metadata';

import {createHash, type webcrypto} from 'node:crypto';
import {Pkcs10CertificateRequest} from '@peculiar/x509';
import {type DeviceId, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import type {AuthorityErrorCode} from '#ota/fleet/authority/authority-error.ts';
import {keyAlgorithm} from '#ota/fleet/authority/authority-key.ts';

/** A request for a P-256 key is some 250 bytes of DER; in base64 with room for attributes, which are ignored. */
export const signingRequestBytesMax = 8 * 1024;

export type SigningRequest = {
	/** The CN, if the box named itself. */
	readonly deviceId: DeviceId | undefined;
	readonly publicKey: webcrypto.CryptoKey;
	/** SHA-256 of the SPKI, by which a lost answer is asked for again. */
	readonly keyHash: string;
};

const refuse = (message: string, cause?: unknown): Error =>
	apiError<AuthorityErrorCode>('OTA_EST_REQUEST', {status: 400, message, cause});

/**
 * PKCS #10 in base64 (RFC 8951 section 3.1). The signature proves that the sender holds the key; of all else only the
 * CN is looked at, because the fleet decides what a certificate says.
 */
export const readSigningRequest = async (base64: string): Promise<SigningRequest> => {
	const text = base64.replaceAll(/\s/gu, '');
	if (text.length === 0 || !/^[A-Za-z0-9+/]+={0,2}$/u.test(text) || text.length % 4 !== 0) {
		throw refuse('The body is not a certificate request in base64.');
	}
	const request = parse(Buffer.from(text, 'base64'));
	const publicKey = await importKey(request);
	if (!(await isSigned(request))) {
		throw refuse('The certificate request is not signed with its own key.');
	}
	return {
		deviceId: deviceIdOf(request),
		publicKey,
		keyHash: createHash('sha256').update(new Uint8Array(request.publicKey.rawData)).digest('hex'),
	};
};

const parse = (der: Buffer): Pkcs10CertificateRequest => {
	try {
		return new Pkcs10CertificateRequest(new Uint8Array(der));
	} catch (error) {
		throw refuse('The body is not a certificate request (PKCS #10).', error);
	}
};

const importKey = async (request: Pkcs10CertificateRequest): Promise<webcrypto.CryptoKey> => {
	try {
		return await request.publicKey.export(keyAlgorithm, ['verify']);
	} catch (error) {
		throw refuse('The key of the certificate request is not on the curve P-256.', error);
	}
};

const isSigned = async (request: Pkcs10CertificateRequest): Promise<boolean> => {
	try {
		return await request.verify();
	} catch (error) {
		throw refuse('The signature of the certificate request cannot be read.', error);
	}
};

const deviceIdOf = (request: Pkcs10CertificateRequest): DeviceId | undefined => {
	let names: readonly string[];
	try {
		names = request.subjectName.getField('CN');
	} catch (error) {
		throw refuse('The subject of the certificate request cannot be read.', error);
	}
	const [name] = names;
	if (name === undefined) {
		return undefined;
	}
	const parsed = deviceIdSchema.safeParse(name);
	if (names.length > 1 || !parsed.success) {
		throw refuse("The certificate request's CN is not the name of one box.");
	}
	return parsed.data;
};
