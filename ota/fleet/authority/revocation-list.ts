import 'reflect-metadata';

import {webcrypto} from 'node:crypto';
import {AuthorityKeyIdentifierExtension} from '@peculiar/x509';
import {type RevocationReason, revocationReasons} from '#ota/contract/claim-api.ts';
import {keyAlgorithm} from '#ota/fleet/authority/authority-key.ts';
import {der, derInteger, derTime} from '#ota/fleet/authority/der.ts';
import type {Issuer} from '#ota/fleet/authority/make-certificate.ts';

export type RevokedEntry = {readonly serial: string; readonly atMs: number; readonly reason: RevocationReason};

/** RFC 5280 section 5.3.1. What is unspecified is left out. */
const reasonCodes = {
	unspecified: undefined,
	keyCompromise: 1,
	superseded: 4,
	cessationOfOperation: 5,
} as const satisfies Record<RevocationReason, number | undefined>;

/** Object identifiers in DER: ecdsa-with-SHA256 (RFC 5758), cRLNumber and cRLReasons (RFC 5280). */
const oids = {
	ecdsaWithSha256: Buffer.from('06082a8648ce3d040302', 'hex'),
	crlNumber: Buffer.from('0603551d14', 'hex'),
	crlReason: Buffer.from('0603551d15', 'hex'),
} as const;
const version2 = derInteger(Buffer.of(1));
const pemLineCharacters = 64;

export const toRevocationReason = (text: string | null): RevocationReason =>
	revocationReasons.find((reason) => reason === text) ?? 'unspecified';

/**
 * A version 2 list (RFC 5280 section 5): its number grows by one, and the next one is promised. Its bytes are laid down
 * here and not by a library of ASN.1: over thousands of entries that one held up everything else for seconds.
 */
export const makeRevocationList = async (options: {
	readonly issuer: Issuer;
	readonly number: number;
	readonly thisUpdateMs: number;
	readonly nextUpdateMs: number;
	readonly entries: readonly RevokedEntry[];
}): Promise<string> => {
	const {issuer, number, thisUpdateMs, nextUpdateMs, entries} = options;
	const algorithm = der('sequence', oids.ecdsaWithSha256);
	const authorityKey = await AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey);
	const toSign = der(
		'sequence',
		version2,
		algorithm,
		Buffer.from(issuer.certificate.subjectName.toArrayBuffer()),
		derTime(thisUpdateMs),
		derTime(nextUpdateMs),
		// Section 5.1.2.6: without entries the field is absent.
		...(entries.length === 0 ? [] : [der('sequence', ...entries.map(entryOf))]),
		der(
			'explicit0',
			der(
				'sequence',
				Buffer.from(authorityKey.rawData),
				der('sequence', oids.crlNumber, der('octetString', derInteger(bytesOf(number.toString(16))))),
			),
		),
	);
	const signature = await sign(issuer, toSign);
	return toPem(der('sequence', toSign, algorithm, der('bitString', Buffer.of(0), signature)));
};

const entryOf = ({serial, atMs, reason}: RevokedEntry): Buffer => {
	const code = reasonCodes[reason];
	const fields = [derInteger(bytesOf(serial)), derTime(atMs)];
	if (code !== undefined) {
		const extension = der('sequence', oids.crlReason, der('octetString', der('enumerated', Buffer.of(code))));
		fields.push(der('sequence', extension));
	}
	return der('sequence', ...fields);
};

const bytesOf = (hex: string): Buffer => Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');

/** Web Crypto answers r and s, one after the other; a certificate has them in DER (RFC 5480 appendix A). */
const sign = async ({privateKey}: Issuer, bytes: Buffer): Promise<Buffer> => {
	const both = new Uint8Array(await webcrypto.subtle.sign(keyAlgorithm, privateKey, Uint8Array.from(bytes)));
	const half = both.length / 2;
	return der('sequence', derInteger(both.subarray(0, half)), derInteger(both.subarray(half)));
};

/** RFC 7468 section 6: the label that OpenSSL looks for. */
const toPem = (bytes: Buffer): string => {
	const base64 = bytes.toString('base64');
	const lines = Array.from({length: Math.ceil(base64.length / pemLineCharacters)}, (_, index) =>
		base64.slice(index * pemLineCharacters, (index + 1) * pemLineCharacters),
	);
	return `-----BEGIN X509 CRL-----\n${lines.join('\n')}\n-----END X509 CRL-----\n`;
};
