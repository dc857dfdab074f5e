import {createHash, timingSafeEqual, X509Certificate} from 'node:crypto';
import {fromBER, type GeneralizedTime, type ObjectIdentifier, type OctetString, type UTCTime} from 'asn1js';
import {Certificate, ContentInfo, IssuerAndSerialNumber, SignedData, type SignerInfo} from 'pkijs';
import {releaseError} from '#ota/release/release-error.ts';

/** A detached CMS signature (RFC 5652 section 5) by one signer, taken apart but not yet believed. */
export type ParsedSignature = {
	readonly signer: X509Certificate;
	/** Every other certificate that came along. */
	readonly others: readonly X509Certificate[];
	readonly messageDigest: Buffer;
	readonly signedAtMs: number;
	/** DER of the signed attributes as a SET OF, which is what was signed (RFC 5652 section 5.4). */
	readonly signedBytes: Buffer;
	readonly signatureBytes: Buffer;
};

const oids = {
	data: '1.2.840.113549.1.7.1',
	signedData: '1.2.840.113549.1.7.2',
	contentType: '1.2.840.113549.1.9.3',
	messageDigest: '1.2.840.113549.1.9.4',
	signingTime: '1.2.840.113549.1.9.5',
	sha256: '2.16.840.1.101.3.4.2.1',
} as const;

/** Certificates that a signature may bring along. */
const certificatesMax = 8;

/** @throws CodedError OTA_RELEASE_SIGNATURE_INVALID */
export const parseSignature = (der: Uint8Array): ParsedSignature => {
	try {
		return takeApart(der);
	} catch (error) {
		throw releaseError('OTA_RELEASE_SIGNATURE_INVALID', {
			message: 'The signature is not a detached CMS signature by one signer with SHA-256 and a signing time.',
			cause: error,
		});
	}
};

const takeApart = (der: Uint8Array): ParsedSignature => {
	const outer = fromBER(der);
	if (outer.offset !== der.byteLength) {
		throw new Error('The DER is broken, or something follows it.');
	}
	const info = new ContentInfo({schema: outer.result});
	if (info.contentType !== oids.signedData) {
		throw new Error(`The content type is ${info.contentType}.`);
	}
	const signed = new SignedData({schema: info.content});
	const [signerInfo, ...moreSigners] = signed.signerInfos;
	if (signerInfo === undefined || moreSigners.length > 0) {
		throw new Error('There must be one signer.');
	}
	if (signed.encapContentInfo.eContent !== undefined || signed.encapContentInfo.eContentType !== oids.data) {
		throw new Error('It is not detached from plain data.');
	}
	if (signerInfo.digestAlgorithm.algorithmId !== oids.sha256) {
		throw new Error('The digest is not SHA-256.');
	}
	const {signer, others} = certificatesOf(signed, signerInfo);
	const attributes = attributesOf(signerInfo);
	return {
		signer,
		others,
		...attributes,
		signatureBytes: Buffer.from(signerInfo.signature.valueBlock.valueHexView),
	};
};

const certificatesOf = (
	signed: SignedData,
	signerInfo: SignerInfo,
): {readonly signer: X509Certificate; readonly others: readonly X509Certificate[]} => {
	const certificates = (signed.certificates ?? []).filter((each) => each instanceof Certificate);
	const {sid} = signerInfo;
	if (certificates.length > certificatesMax || !(sid instanceof IssuerAndSerialNumber)) {
		throw new Error('There are too many certificates, or the signer is not named by issuer and serial number.');
	}
	const signer = certificates.find(
		({issuer, serialNumber}) => issuer.isEqual(sid.issuer) && serialNumber.isEqual(sid.serialNumber),
	);
	if (signer === undefined) {
		throw new Error("The signer's certificate is missing.");
	}
	const toNode = (certificate: Certificate) => new X509Certificate(Buffer.from(certificate.toSchema(true).toBER()));
	return {signer: toNode(signer), others: certificates.filter((each) => each !== signer).map(toNode)};
};

const attributesOf = ({
	signedAttrs,
}: SignerInfo): Pick<ParsedSignature, 'messageDigest' | 'signedAtMs' | 'signedBytes'> => {
	const onlyValueOf = (type: string): unknown => {
		const [attribute, ...more] = (signedAttrs?.attributes ?? []).filter((each) => each.type === type);
		if (attribute === undefined || more.length > 0 || attribute.values.length !== 1) {
			throw new Error(`The signed attribute ${type} must be there once, with one value.`);
		}
		return attribute.values[0];
	};
	if ((onlyValueOf(oids.contentType) as ObjectIdentifier).getValue() !== oids.data) {
		throw new Error('The signed content type is not plain data.');
	}
	const signedAtMs = (onlyValueOf(oids.signingTime) as UTCTime | GeneralizedTime).toDate().getTime();
	const messageDigest = Buffer.from((onlyValueOf(oids.messageDigest) as OctetString).getValue());
	if (Number.isNaN(signedAtMs) || signedAttrs === undefined) {
		throw new Error('The signing time cannot be read.');
	}
	return {messageDigest, signedAtMs, signedBytes: Buffer.from(signedAttrs.encodedValue)};
};

export const isDigestOf = (digest: Buffer, content: Uint8Array): boolean => {
	const expected = createHash('sha256').update(content).digest();
	return digest.length === expected.length && timingSafeEqual(digest, expected);
};
