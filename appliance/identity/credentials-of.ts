import {createPrivateKey, X509Certificate} from 'node:crypto';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {Credentials} from '#appliance/identity/box-identity.ts';

const firstCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/u;

/** What a certificate file says; undefined when it cannot be read or is not for this key and box. */
export const credentialsOf = (options: {
	readonly deviceId: DeviceId;
	readonly keyPem: string;
	readonly certificatePem: string;
	readonly caPem: string;
}): Credentials | undefined => {
	const {deviceId, keyPem, certificatePem, caPem} = options;
	const leaf = parseCertificate(firstCertificate.exec(certificatePem)?.[0]);
	if (
		leaf === undefined ||
		!leaf.checkPrivateKey(createPrivateKey(keyPem)) ||
		!leaf.subject.split('\n').includes(`CN=${deviceId}`)
	) {
		return undefined;
	}
	return {
		...{keyPem, certificatePem, caPem},
		serial: leaf.serialNumber.toLowerCase(),
		notBeforeMs: leaf.validFromDate.getTime(),
		notAfterMs: leaf.validToDate.getTime(),
	};
};

const parseCertificate = (pem: string | undefined): X509Certificate | undefined => {
	try {
		return pem === undefined ? undefined : new X509Certificate(pem);
	} catch {
		// A torn or foreign file is as good as none: the box enrols or waits for a claim.
		return undefined;
	}
};
