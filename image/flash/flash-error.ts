import {CodedError} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';

export type FlashErrorCode = Extract<ImageErrorCode, `FLASH_${string}`>;

export const flashError = (
	code: FlashErrorCode,
	message: string,
	{cause, ...details}: Readonly<Record<string, unknown>> = {},
): CodedError<FlashErrorCode> => new CodedError<FlashErrorCode>(code, {message, cause, details});
