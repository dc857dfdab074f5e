import type {CodedError} from '#appliance/error/coded-error.ts';
import {type ApiErrorOptions, apiError} from '#ota/fleet/api/api-error.ts';

export type ReleaseServerErrorCode =
	| 'OTA_ARTIFACT_BUSY'
	| 'OTA_ARTIFACT_DIGEST_WRONG'
	| 'OTA_ARTIFACT_FORBIDDEN'
	| 'OTA_ARTIFACT_OFFSET_WRONG'
	| 'OTA_ARTIFACT_TOO_LARGE'
	| 'OTA_ARTIFACT_UNKNOWN'
	| 'OTA_RELEASE_DIFFERENT'
	| 'OTA_RELEASE_INCOMPLETE'
	| 'OTA_RELEASE_NOT_BELIEVED'
	| 'OTA_RELEASE_STATE';

export const releaseServerError = (
	code: ReleaseServerErrorCode,
	options: ApiErrorOptions,
): CodedError<ReleaseServerErrorCode> => apiError(code, options);
