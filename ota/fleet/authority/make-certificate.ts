import 'reflect-metadata';

import {randomBytes, type webcrypto} from 'node:crypto';
import {isIP} from 'node:net';
import {
	AuthorityKeyIdentifierExtension,
	BasicConstraintsExtension,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	type Extension,
	type JsonName,
	KeyUsageFlags,
	KeyUsagesExtension,
	Name,
	SubjectAlternativeNameExtension,
	SubjectKeyIdentifierExtension,
	type X509Certificate,
	X509CertificateGenerator,
} from '@peculiar/x509';
import {keyAlgorithm} from '#ota/fleet/authority/authority-key.ts';
import {subjectConstraints} from '#ota/fleet/authority/subject-constraints.ts';

/** RFC 5280 section 4.1.2.2 allows 20 octets; 16 random ones, the first bit 0, cannot collide. */
const serialBytes = 16;
/** A box whose clock is behind must not find its certificate of the future. */
const backdateMs = 3_600_000;

export type Issuer = {readonly certificate: X509Certificate; readonly privateKey: webcrypto.CryptoKey};

export type Validity = {readonly nowMs: number; readonly lifeMs: number};

export const makeSerial = (): string => {
	const bytes = randomBytes(serialBytes);
	bytes[0] = (bytes.readUInt8(0) & 0x3f) | 0x40;
	return bytes.toString('hex');
};

const datesOf = ({nowMs, lifeMs}: Validity): {notBefore: Date; notAfter: Date} => ({
	notBefore: new Date(nowMs - backdateMs),
	notAfter: new Date(nowMs + lifeMs),
});

/** Signs itself, and nothing but one level of issuers below it. */
export const makeRoot = async (
	options: Validity & {readonly subject: JsonName; readonly keys: webcrypto.CryptoKeyPair; readonly pathLength: number},
): Promise<X509Certificate> =>
	await X509CertificateGenerator.createSelfSigned({
		serialNumber: makeSerial(),
		name: options.subject,
		...datesOf(options),
		signingAlgorithm: keyAlgorithm,
		keys: options.keys,
		extensions: [
			new BasicConstraintsExtension(true, options.pathLength, true),
			new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
			await SubjectKeyIdentifierExtension.create(options.keys.publicKey),
		],
	});

/**
 * The key that lies on a server: whoever takes it can make certificates of TLS servers and clients of this fleet, and
 * no further issuer (path length 0, RFC 5280 section 4.2.1.9), no code or mail (EKU) and no other organisation's names
 * (section 4.2.1.10).
 */
export const makeIssuing = async (
	options: Validity & {
		readonly subject: JsonName;
		readonly permittedSubject: JsonName;
		readonly publicKey: webcrypto.CryptoKey;
		readonly issuer: Issuer;
	},
): Promise<X509Certificate> =>
	await make(options, [
		new BasicConstraintsExtension(true, 0, true),
		new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
		new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth]),
		subjectConstraints(new Name(options.permittedSubject)),
	]);

/** For one end of a TLS connection. `hosts` are DNS names and addresses; a client has none. */
export const makeLeaf = async (
	options: Validity & {
		readonly subject: JsonName;
		readonly publicKey: webcrypto.CryptoKey;
		readonly issuer: Issuer;
		readonly usage: 'client' | 'server';
		readonly hosts?: readonly string[];
		readonly serial?: string;
	},
): Promise<X509Certificate> => {
	const {usage, hosts = []} = options;
	const names = hosts.map((host) => ({type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host}));
	return await make(options, [
		new BasicConstraintsExtension(false, undefined, true),
		new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
		new ExtendedKeyUsageExtension([usage === 'client' ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth]),
		...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
	]);
};

const make = async (
	options: Validity & {
		readonly subject: JsonName;
		readonly publicKey: webcrypto.CryptoKey;
		readonly issuer: Issuer;
		readonly serial?: string;
	},
	extensions: readonly Extension[],
): Promise<X509Certificate> => {
	const {issuer, publicKey} = options;
	const {notBefore, notAfter} = datesOf(options);
	return await X509CertificateGenerator.create({
		serialNumber: options.serial ?? makeSerial(),
		subject: options.subject,
		issuer: issuer.certificate.subjectName,
		notBefore,
		// A certificate that outlives its issuer verifies no longer than it.
		notAfter: new Date(Math.min(notAfter.getTime(), issuer.certificate.notAfter.getTime())),
		signingAlgorithm: keyAlgorithm,
		signingKey: issuer.privateKey,
		publicKey,
		extensions: [
			...extensions,
			await SubjectKeyIdentifierExtension.create(publicKey),
			await AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey),
		],
	});
};
