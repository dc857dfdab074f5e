import {CodedError, type CodedErrorOptions} from '#appliance/error/coded-error.ts';

/** Why a release cannot be made, is not believed, or is not taken. */
export type ReleaseErrorCode =
	| 'OTA_RELEASE_BUNDLE_INVALID'
	| 'OTA_RELEASE_EXPIRED'
	| 'OTA_RELEASE_KEY_INVALID'
	| 'OTA_RELEASE_MANIFEST_INVALID'
	| 'OTA_RELEASE_PUBLISH_FAILED'
	| 'OTA_RELEASE_SIGNATURE_INVALID'
	| 'OTA_RELEASE_SIGNER_UNTRUSTED'
	| 'OTA_RELEASE_TREE_INVALID';

export const releaseError = (code: ReleaseErrorCode, options: CodedErrorOptions): CodedError<ReleaseErrorCode> =>
	new CodedError(code, options);
