import {
	manifestBytesMax,
	type ReleaseManifest,
	releaseManifestSchema,
	signatureBytesMax,
} from '#appliance/contract/fleet/release-schema.ts';
import {parseSignature} from '#ota/release/parse-signature.ts';
import {releaseError} from '#ota/release/release-error.ts';
import {verifySigner} from '#ota/release/verify-signer.ts';

export type SignedRelease = {
	/** The manifest, byte for byte as signed. */
	readonly manifest: string | Uint8Array;
	/** The detached CMS signature: DER, or the same in base64. */
	readonly signature: string | Uint8Array;
	/** One or several certificates of release CAs in PEM: what this box or server trusts. */
	readonly releaseCaPem: string;
};

export type VerifiedRelease = {
	readonly manifest: ReleaseManifest;
	/** Subject of the certificate that signed. */
	readonly signer: string;
	readonly signedAtMs: number;
};

/**
 * What a manifest says, if a certificate for code signing (RFC 5280 section 4.2.1.12) below a trusted release CA signed
 * exactly these bytes. No clock is asked: certificates must have been valid at the signing time that the signature
 * covers, so that a box whose clock stands at 1970, or that was ten years on a shelf, is not shut out. Who steals a
 * release key can therefore sign with a past date; the answer to a stolen key is another release CA, not its expiry.
 * @throws CodedError OTA_RELEASE_SIGNATURE_INVALID | OTA_RELEASE_SIGNER_UNTRUSTED | OTA_RELEASE_EXPIRED |
 *   OTA_RELEASE_MANIFEST_INVALID
 */
export const verifyRelease = (signed: SignedRelease): ReleaseManifest => verifySignedRelease(signed).manifest;

/** As `verifyRelease`, and tells who signed. */
export const verifySignedRelease = (signed: SignedRelease): VerifiedRelease => {
	const manifestBytes = toBytes(signed.manifest);
	const signatureBytes =
		typeof signed.signature === 'string' ? Buffer.from(signed.signature, 'base64') : Buffer.from(signed.signature);
	if (manifestBytes.length > manifestBytesMax) {
		throw releaseError('OTA_RELEASE_MANIFEST_INVALID', {
			message: `A release manifest has at most ${manifestBytesMax} bytes; this one has ${manifestBytes.length}.`,
		});
	}
	if (signatureBytes.length > signatureBytesMax) {
		throw releaseError('OTA_RELEASE_SIGNATURE_INVALID', {
			message: `A release signature has at most ${signatureBytesMax} bytes; this one has ${signatureBytes.length}.`,
		});
	}
	const signature = parseSignature(signatureBytes);
	const {signer} = verifySigner({signature, content: manifestBytes, trustedPem: signed.releaseCaPem});
	return {manifest: parseManifest(manifestBytes), signer, signedAtMs: signature.signedAtMs};
};

const parseManifest = (bytes: Buffer): ReleaseManifest => {
	try {
		return releaseManifestSchema.parse(JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(bytes)));
	} catch (error) {
		throw releaseError('OTA_RELEASE_MANIFEST_INVALID', {
			message: 'The manifest is signed, but is not one that this software understands: update this software first.',
			cause: error,
		});
	}
};

const toBytes = (value: string | Uint8Array): Buffer =>
	typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value);
