import 'reflect-metadata';
import {webcrypto} from 'node:crypto';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {
	BasicConstraintsExtension,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	KeyUsageFlags,
	KeyUsagesExtension,
	PemConverter,
	SubjectKeyIdentifierExtension,
	type X509Certificate,
	X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = {name: 'ECDSA', namedCurve: 'P-256'};
const signing = {name: 'ECDSA', hash: 'SHA-256'};
const yearMs = 365.25 * 86_400_000;
/** The CA outlives every box that trusts it; the key that signs is renewed from it. */
const caYears = 30;
const signerYears = 10;

export type ReleaseKey = {
	/** What boxes and servers are given to trust. */
	readonly caPem: string;
	/** To be kept offline: it is needed again only to make another signer. */
	readonly caKeyPem: string;
	readonly certificatePem: string;
	readonly keyPem: string;
};

/** A release CA and a certificate for code signing below it, for a laptop or a lab. */
export const createReleaseKey = async (options: {
	readonly name: string;
	readonly nowMs?: number;
	/** Other terms for tests of what must be refused. */
	readonly signer?: {readonly fromMs?: number; readonly toMs?: number; readonly usages?: readonly string[]};
}): Promise<ReleaseKey> => {
	const nowMs = options.nowMs ?? Date.now();
	const caKeys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
	const ca = await X509CertificateGenerator.createSelfSigned({
		serialNumber: serialNumber(),
		name: `CN=${escapeName(options.name)} release CA`,
		// A day of tolerance, for machines whose clocks differ.
		notBefore: new Date(nowMs - 86_400_000),
		notAfter: new Date(nowMs + caYears * yearMs),
		keys: caKeys,
		signingAlgorithm: signing,
		extensions: [
			new BasicConstraintsExtension(true, undefined, true),
			new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
			await SubjectKeyIdentifierExtension.create(caKeys.publicKey),
		],
	});
	const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
	const {fromMs, toMs, usages} = options.signer ?? {};
	const certificate = await X509CertificateGenerator.create({
		serialNumber: serialNumber(),
		subject: `CN=${escapeName(options.name)} release`,
		issuer: ca.subject,
		notBefore: new Date(fromMs ?? nowMs - 86_400_000),
		notAfter: new Date(toMs ?? nowMs + signerYears * yearMs),
		signingKey: caKeys.privateKey,
		publicKey: keys.publicKey,
		signingAlgorithm: signing,
		extensions: [
			new BasicConstraintsExtension(false, undefined, true),
			new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
			new ExtendedKeyUsageExtension([...(usages ?? [ExtendedKeyUsage.codeSigning])], true),
		],
	});
	return {
		caPem: toPem(ca),
		caKeyPem: await keyToPem(caKeys.privateKey),
		certificatePem: toPem(certificate),
		keyPem: await keyToPem(keys.privateKey),
	};
};

/** `ca.pem`, `ca-key.pem`, `release.pem` and `release-key.pem`; keys are for their owner only. Nothing is overwritten. */
export const writeReleaseKey = async (directory: string, key: ReleaseKey): Promise<void> => {
	await mkdir(directory, {recursive: true, mode: 0o700});
	for (const [name, text, mode] of [
		['ca-key.pem', key.caKeyPem, 0o600],
		['release-key.pem', key.keyPem, 0o600],
		['ca.pem', key.caPem, 0o644],
		['release.pem', key.certificatePem, 0o644],
	] as const) {
		await writeFile(join(directory, name), text, {mode, flag: 'wx'});
	}
};

/** Positive and 16 bytes long (RFC 5280 section 4.1.2.2). */
const serialNumber = (): string => {
	const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)));
	bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
	return bytes.toString('hex');
};

/** RFC 4514 section 2.4. */
const escapeName = (text: string): string => text.replaceAll(/[,+"\\<>;=#]/gu, String.raw`\$&`);

const toPem = (certificate: X509Certificate): string => `${certificate.toString('pem')}\n`;
const keyToPem = async (key: webcrypto.CryptoKey): Promise<string> =>
	`${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
