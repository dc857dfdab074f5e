import {createHash, createPrivateKey, webcrypto, X509Certificate} from 'node:crypto';
import {fromBER, ObjectIdentifier, OctetString, UTCTime} from 'asn1js';
import {
	Attribute,
	Certificate,
	ContentInfo,
	CryptoEngine,
	EncapsulatedContentInfo,
	IssuerAndSerialNumber,
	SignedAndUnsignedAttributes,
	SignedData,
	SignerInfo,
} from 'pkijs';
import {releaseError} from '#ota/release/release-error.ts';

const dataOid = '1.2.840.113549.1.7.1';

export type SignReleaseOptions = {
	readonly manifest: Uint8Array;
	/** The signer's certificate first, then what lies between it and the release CA. */
	readonly certificatePem: string;
	readonly keyPem: string;
	readonly nowMs?: number;
};

/** The detached CMS signature (RFC 5652) over a manifest, DER. */
export const signRelease = async (options: SignReleaseOptions): Promise<Buffer> => {
	const certificates = certificatesOf(options.certificatePem);
	const [signer] = certificates;
	if (signer === undefined) {
		throw releaseError('OTA_RELEASE_KEY_INVALID', {message: "The signer's certificate is not in PEM."});
	}
	const key = await importKey(options);
	const signedData = new SignedData({
		version: 1,
		encapContentInfo: new EncapsulatedContentInfo({eContentType: dataOid}),
		certificates: [...certificates],
		signerInfos: [
			new SignerInfo({
				version: 1,
				sid: new IssuerAndSerialNumber({issuer: signer.issuer, serialNumber: signer.serialNumber}),
				signedAttrs: new SignedAndUnsignedAttributes({
					type: 0,
					attributes: attributesOf(options.manifest, options.nowMs ?? Date.now()),
				}),
			}),
		],
	});
	const engine = new CryptoEngine({crypto: webcrypto, subtle: webcrypto.subtle});
	await signedData.sign(key, 0, 'SHA-256', Uint8Array.from(options.manifest).buffer, engine);
	const info = new ContentInfo({contentType: ContentInfo.SIGNED_DATA, content: signedData.toSchema(true)});
	return Buffer.from(info.toSchema().toBER());
};

const attributesOf = (manifest: Uint8Array, nowMs: number): Attribute[] => [
	new Attribute({type: '1.2.840.113549.1.9.3', values: [new ObjectIdentifier({value: dataOid})]}),
	// UTCTime until 2049 (RFC 5652 section 11.3).
	new Attribute({type: '1.2.840.113549.1.9.5', values: [new UTCTime({valueDate: new Date(nowMs)})]}),
	new Attribute({
		type: '1.2.840.113549.1.9.4',
		values: [new OctetString({valueHex: createHash('sha256').update(manifest).digest()})],
	}),
];

const certificatesOf = (pem: string): readonly Certificate[] =>
	(pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu) ?? []).map((each) => {
		const {raw} = new X509Certificate(each);
		return new Certificate({schema: fromBER(Uint8Array.from(raw)).result});
	});

/** Only P-256 signs new releases; verifying also takes RSA, which some signing services insist on. */
const importKey = async ({keyPem, certificatePem}: SignReleaseOptions): Promise<webcrypto.CryptoKey> => {
	try {
		const key = createPrivateKey(keyPem);
		if (!new X509Certificate(certificatePem).checkPrivateKey(key)) {
			throw new Error('The key does not belong to the certificate.');
		}
		const pkcs8 = key.export({type: 'pkcs8', format: 'der'});
		return await webcrypto.subtle.importKey('pkcs8', pkcs8, {name: 'ECDSA', namedCurve: 'P-256'}, false, ['sign']);
	} catch (error) {
		throw releaseError('OTA_RELEASE_KEY_INVALID', {
			message: "The release key must be a P-256 key in PEM that belongs to the signer's certificate.",
			cause: error,
		});
	}
};
