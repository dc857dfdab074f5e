import {CodedError} from '#appliance/error/coded-error.ts';

export type HeadendErrorCode =
	| 'HEADEND_PATH_REFUSED'
	| 'HEADEND_PATH_RESERVED'
	| 'HEADEND_OBJECT_NOT_FOUND'
	| 'HEADEND_HEADER_INVALID'
	| 'HEADEND_BODY_TOO_LARGE'
	| 'HEADEND_BODY_SHORT'
	| 'HEADEND_DIGEST_MISMATCH'
	| 'HEADEND_UPLOAD_OFFSET'
	| 'HEADEND_UPLOAD_BUSY'
	| 'HEADEND_UPLOADS_TOO_MANY'
	| 'HEADEND_STORAGE_FULL'
	| 'HEADEND_OBJECTS_TOO_MANY'
	| 'HEADEND_CHANNELS_TOO_MANY'
	| 'HEADEND_CHANNEL_OBJECTS_TOO_MANY'
	| 'HEADEND_CHANNEL_INVALID'
	| 'HEADEND_FEED_GONE'
	| 'HEADEND_FEED_FULL'
	| 'HEADEND_SOURCE_CHANGED'
	| 'HEADEND_TOI_EXHAUSTED'
	| 'HEADEND_FDT_TOO_LARGE'
	| 'HEADEND_MODCOD_UNKNOWN'
	| 'HEADEND_RATE_TOO_HIGH'
	| 'HEADEND_UPLINK_FORM';

/** An error of the headend that a client caused or must know of; `status` is the HTTP answer it becomes. */
export const headendError = (
	code: HeadendErrorCode,
	options: {
		readonly status: number;
		readonly message: string;
		readonly cause?: unknown;
		readonly details?: Readonly<Record<string, unknown>>;
		readonly retryable?: boolean;
	},
): CodedError<HeadendErrorCode> =>
	new CodedError<HeadendErrorCode>(code, {
		message: options.message,
		cause: options.cause,
		details: {...options.details, status: options.status},
		retryable: options.retryable ?? false,
	});
