import 'reflect-metadata';

import {webcrypto} from 'node:crypto';
import {
	BasicConstraintsExtension,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	Pkcs10CertificateRequest,
	SubjectAlternativeNameExtension,
	type X509Certificate,
	X509CertificateGenerator,
	X509Certificates,
} from '@peculiar/x509';

const algorithm = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'} as const;

export type TestCertificate = {readonly certificatePem: string; readonly keyPem: string};

export type Validity = {readonly notBefore?: Date; readonly notAfter?: Date};

/** A one-level CA in memory for tests of the box's side. */
export type TestAuthority = {
	readonly caPem: string;
	readonly issue: (name: string, options?: Validity & {readonly server?: boolean}) => Promise<TestCertificate>;
	/** For a PKCS #10 in base64: a certs-only PKCS #7 in base64, as EST answers. */
	readonly sign: (request: string, validity?: Validity) => Promise<string>;
	/** The CA's certificate as certs-only PKCS #7. */
	readonly cacerts: () => string;
};

const dayMs = 86_400_000;

const validityOf = ({notBefore, notAfter}: Validity): Required<Validity> => ({
	notBefore: notBefore ?? new Date(Date.now() - dayMs),
	notAfter: notAfter ?? new Date(Date.now() + 30 * dayMs),
});

const keyPemOf = async (key: webcrypto.CryptoKey): Promise<string> => {
	const base64 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
	return `-----BEGIN PRIVATE KEY-----\n${base64.replaceAll(/.{64}/gu, '$&\n')}\n-----END PRIVATE KEY-----\n`;
};

const generateKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

export const createTestAuthority = async (): Promise<TestAuthority> => {
	const caKeys = await generateKeys();
	const ca = await X509CertificateGenerator.createSelfSigned({
		name: 'CN=Test CA',
		keys: caKeys,
		signingAlgorithm: algorithm,
		extensions: [new BasicConstraintsExtension(true, 0, true)],
		...validityOf({}),
	});
	const certify = (subject: string, publicKey: webcrypto.CryptoKey, options: Validity & {readonly server?: boolean}) =>
		X509CertificateGenerator.create({
			subject,
			issuer: ca.subject,
			publicKey,
			signingKey: caKeys.privateKey,
			signingAlgorithm: algorithm,
			...validityOf(options),
			extensions: options.server
				? [
						new SubjectAlternativeNameExtension([
							{type: 'ip', value: '127.0.0.1'},
							{type: 'dns', value: 'localhost'},
						]),
						new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
					]
				: [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])],
		});
	const certsOnly = (certificates: readonly X509Certificate[]): string =>
		new X509Certificates([...certificates]).export('base64');
	return {
		caPem: `${ca.toString('pem')}\n`,
		issue: async (name, options = {}) => {
			const keys = await generateKeys();
			const certificate = await certify(`CN=${name}`, keys.publicKey, options);
			return {certificatePem: `${certificate.toString('pem')}\n`, keyPem: await keyPemOf(keys.privateKey)};
		},
		sign: async (request, validity = {}) => {
			const parsed = new Pkcs10CertificateRequest(request);
			if (!(await parsed.verify())) {
				throw new Error('the request is not signed with its key');
			}
			const publicKey = await parsed.publicKey.export(algorithm, ['verify']);
			return certsOnly([ca, await certify(parsed.subject, publicKey, validity)]);
		},
		cacerts: () => certsOnly([ca]),
	};
};
