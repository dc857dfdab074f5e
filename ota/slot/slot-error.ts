import {CodedError, type CodedErrorOptions} from '#appliance/error/coded-error.ts';

export const slotErrorCodes = [
	'OTA_SLOT_BUNDLE_COMPATIBLE',
	'OTA_SLOT_BUNDLE_DAMAGED',
	'OTA_SLOT_BUNDLE_HOSTILE',
	'OTA_SLOT_BUNDLE_INVALID',
	'OTA_SLOT_BUNDLE_SIGNATURE',
	'OTA_SLOT_BUSY',
	'OTA_SLOT_CONFIG',
	'OTA_SLOT_DAEMON_LOST',
	'OTA_SLOT_INSTALL_FAILED',
	'OTA_SLOT_NO_FALLBACK',
	'OTA_SLOT_TOO_SMALL',
	'OTA_SLOT_UNBOOTABLE',
	'OTA_SLOT_UNREADABLE',
] as const;
export type SlotErrorCode = (typeof slotErrorCodes)[number];

export const slotError = (code: SlotErrorCode, options: CodedErrorOptions): CodedError<SlotErrorCode> =>
	new CodedError<SlotErrorCode>(code, options);
