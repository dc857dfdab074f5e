import type {CodedError} from '#appliance/error/coded-error.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';

export type AlertErrorCode =
	| 'OTA_ALERT_CHANNELS_TOO_MANY'
	| 'OTA_ALERT_MUTE_PAST'
	| 'OTA_ALERT_NO_MAIL_SERVER'
	| 'OTA_ALERT_NOT_SENT'
	| 'OTA_ALERT_THRESHOLDS_WRONG';

export const alertError = (
	code: AlertErrorCode,
	options: {readonly status: number; readonly message: string; readonly cause?: unknown},
): CodedError<AlertErrorCode> => apiError(code, options);
