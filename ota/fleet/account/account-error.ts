import type {CodedError} from '#appliance/error/coded-error.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';

export type AccountErrorCode =
	| 'OTA_ACCOUNT_EXTERNAL'
	| 'OTA_ACCOUNT_LAST_ADMIN'
	| 'OTA_ACCOUNT_NAME_TAKEN'
	| 'OTA_ACCOUNT_NOT_SIGNED_IN'
	| 'OTA_ACCOUNT_OIDC_FAILED'
	| 'OTA_ACCOUNT_OIDC_NO_ROLE'
	| 'OTA_ACCOUNT_PASSWORD_WEAK'
	| 'OTA_ACCOUNT_PASSWORD_WRONG'
	| 'OTA_ACCOUNT_ROLE_TOO_HIGH'
	| 'OTA_ACCOUNT_SIGN_IN_BLOCKED'
	| 'OTA_ACCOUNT_SIGN_IN_REFUSED'
	| 'OTA_ACCOUNT_TOKENS_TOO_MANY';

export const accountError = (
	code: AccountErrorCode,
	options: {
		readonly status: number;
		readonly message: string;
		readonly retryAfterSeconds?: number;
		readonly cause?: unknown;
	},
): CodedError<AccountErrorCode> => apiError(code, options);
