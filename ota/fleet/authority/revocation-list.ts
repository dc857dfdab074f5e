import 'reflect-metadata';

import {
	AuthorityKeyIdentifierExtension,
	Extension,
	PemConverter,
	X509CrlGenerator,
	X509CrlReason,
} from '@peculiar/x509';
import {Integer} from 'asn1js';
import {type RevocationReason, revocationReasons} from '#ota/contract/claim-api.ts';
import {keyAlgorithm} from '#ota/fleet/authority/authority-key.ts';
import type {Issuer} from '#ota/fleet/authority/make-certificate.ts';

const crlNumberOid = '2.5.29.20';

export type RevokedEntry = {readonly serial: string; readonly atMs: number; readonly reason: RevocationReason};

const reasonCodes = {
	unspecified: undefined,
	keyCompromise: X509CrlReason.keyCompromise,
	superseded: X509CrlReason.superseded,
	cessationOfOperation: X509CrlReason.cessationOfOperation,
} as const satisfies Record<RevocationReason, X509CrlReason | undefined>;

export const toRevocationReason = (text: string | null): RevocationReason =>
	revocationReasons.find((reason) => reason === text) ?? 'unspecified';

/** A version 2 list (RFC 5280 section 5): its number grows by one, and the next one is promised. */
export const makeRevocationList = async (options: {
	readonly issuer: Issuer;
	readonly number: number;
	readonly thisUpdateMs: number;
	readonly nextUpdateMs: number;
	readonly entries: readonly RevokedEntry[];
}): Promise<string> => {
	const {issuer, number, thisUpdateMs, nextUpdateMs, entries} = options;
	const list = await X509CrlGenerator.create({
		issuer: issuer.certificate.subjectName,
		thisUpdate: new Date(thisUpdateMs),
		nextUpdate: new Date(nextUpdateMs),
		signingAlgorithm: keyAlgorithm,
		signingKey: issuer.privateKey,
		extensions: [
			await AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey),
			new Extension(crlNumberOid, false, new Integer({value: number}).toBER()),
		],
		entries: entries.map(({serial, atMs, reason}) => {
			const code = reasonCodes[reason];
			return {
				serialNumber: serial,
				revocationDate: new Date(atMs),
				...(code === undefined ? {} : {reason: code}),
			};
		}),
	});
	// RFC 7468 section 6: the label that OpenSSL looks for.
	return `${PemConverter.encode(list.rawData, 'X509 CRL')}\n`;
};
