import {verify, X509Certificate} from 'node:crypto';
import {isDigestOf, type ParsedSignature} from '#ota/release/parse-signature.ts';
import {releaseError} from '#ota/release/release-error.ts';

/** id-kp-codeSigning (RFC 5280 section 4.2.1.12). */
const codeSigning = '1.3.6.1.5.5.7.3.3';
/** The release CA, two below it, and the signer: more is no chain of ours. */
const chainMax = 4;

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu;

/** Whether a trusted signer made this signature over this content, at a time when its certificates were valid. */
export const verifySigner = (options: {
	readonly signature: ParsedSignature;
	readonly content: Uint8Array;
	readonly trustedPem: string;
}): {readonly signer: string} => {
	const {signature, content, trustedPem} = options;
	const {signer, signedBytes, signatureBytes, messageDigest} = signature;
	const trusted = (trustedPem.match(pemCertificate) ?? []).map((pem) => new X509Certificate(pem));
	const chain = chainOf(signer, {others: signature.others, trusted});
	if (!isDigestOf(messageDigest, content) || !isSignedBy(signer, signedBytes, signatureBytes)) {
		throw releaseError('OTA_RELEASE_SIGNATURE_INVALID', {
			message: 'The signature does not belong to this manifest: one of them was altered.',
		});
	}
	if (!(signer.keyUsage ?? []).includes(codeSigning)) {
		throw releaseError('OTA_RELEASE_SIGNER_UNTRUSTED', {
			message: 'The certificate that signed is not meant for code signing.',
			details: {signer: signer.subject},
		});
	}
	const expired = chain.find((each) => !wasValid(each, signature.signedAtMs));
	if (expired !== undefined) {
		throw releaseError('OTA_RELEASE_EXPIRED', {
			message: 'A certificate was not valid when the release was signed: sign it again with a valid one.',
			details: {certificate: expired.subject, validFrom: expired.validFrom, validTo: expired.validTo},
		});
	}
	return {signer: signer.subject.replaceAll('\n', ', ')};
};

type Known = {readonly others: readonly X509Certificate[]; readonly trusted: readonly X509Certificate[]};

/** From the signer to a trusted certificate. */
const chainOf = (signer: X509Certificate, known: Known): readonly X509Certificate[] => {
	const chain = extend([signer], known);
	if (chain === undefined) {
		throw releaseError('OTA_RELEASE_SIGNER_UNTRUSTED', {
			message: 'The release was not signed by a key that this fleet trusts.',
			details: {signer: signer.subject},
		});
	}
	return chain;
};

/** Every way is tried: of a CA that two roots have certified, only one certificate may lead to a root of ours. */
const extend = (chain: readonly X509Certificate[], known: Known): readonly X509Certificate[] | undefined => {
	const last = chain.at(-1);
	if (last === undefined || chain.length >= chainMax) {
		return undefined;
	}
	const anchor = known.trusted.find((each) => issued(each, last));
	if (anchor !== undefined) {
		return [...chain, anchor];
	}
	for (const next of known.others) {
		const longer = !chain.includes(next) && issued(next, last) ? extend([...chain, next], known) : undefined;
		if (longer !== undefined) {
			return longer;
		}
	}
	return undefined;
};

const issued = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
	issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

const isSignedBy = (signer: X509Certificate, bytes: Buffer, signature: Buffer): boolean => {
	const {asymmetricKeyType} = signer.publicKey;
	// By their names: what OpenSSL verifies with other keys (Ed25519 hashes by itself) has other rules in CMS.
	return (
		(asymmetricKeyType === 'ec' || asymmetricKeyType === 'rsa') && verify('sha256', bytes, signer.publicKey, signature)
	);
};

const wasValid = (certificate: X509Certificate, atMs: number): boolean =>
	Date.parse(certificate.validFrom) <= atMs && atMs <= Date.parse(certificate.validTo);
