import type {CodedError} from '#appliance/error/coded-error.ts';
import {type ApiErrorOptions, apiError} from '#ota/fleet/api/api-error.ts';

export type RolloutErrorCode =
	| 'OTA_ROLLOUT_BUNDLE_AMBIGUOUS'
	| 'OTA_ROLLOUT_BUNDLE_MISSING'
	| 'OTA_ROLLOUT_FILTER_INVALID'
	| 'OTA_ROLLOUT_HEADEND_REFUSED'
	| 'OTA_ROLLOUT_RELEASE_UNPUBLISHED'
	| 'OTA_ROLLOUT_SELF_APPROVAL'
	| 'OTA_ROLLOUT_SHARE_INVALID'
	| 'OTA_ROLLOUT_SOURCE_MISSING'
	| 'OTA_ROLLOUT_STATE';

export const rolloutError = (code: RolloutErrorCode, options: ApiErrorOptions): CodedError<RolloutErrorCode> =>
	apiError(code, options);
