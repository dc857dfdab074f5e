import 'reflect-metadata';

import {createPrivateKey, createPublicKey, webcrypto} from 'node:crypto';
import {Pkcs10CertificateRequestGenerator} from '@peculiar/x509';
import type {DeviceId} from '#appliance/contract/box-schema.ts';

const algorithm = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'} as const;

/** PKCS #10 (RFC 2986) in base64 of DER, as EST carries it: CN = the device id, signed with the box's key. */
export const makeCertificateRequest = async (options: {
	readonly deviceId: DeviceId;
	readonly keyPem: string;
}): Promise<string> => {
	const key = createPrivateKey(options.keyPem);
	const spki = createPublicKey(key).export({type: 'spki', format: 'der'});
	const pkcs8 = key.export({type: 'pkcs8', format: 'der'});
	const request = await Pkcs10CertificateRequestGenerator.create({
		name: [{CN: [options.deviceId]}],
		keys: {
			publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
			privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
		},
		signingAlgorithm: algorithm,
	});
	return Buffer.from(request.rawData).toString('base64');
};
