import Koa from 'koa';
import {CodedError, errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';

const statusByCode: Readonly<Record<string, number>> = {
	HTTP_BAD_REQUEST: 400,
	HTTP_FORBIDDEN: 403,
	HTTP_NOT_FOUND: 404,
	HTTP_CONFLICT: 409,
	HTTP_PRECONDITION_FAILED: 412,
	HTTP_TOO_LARGE: 413,
	HTTP_RANGE_NOT_SATISFIABLE: 416,
	HTTP_TOO_MANY_REQUESTS: 429,
	HTTP_UPSTREAM_FAILED: 502,
	HTTP_UNAVAILABLE: 503,
	HTTP_UPSTREAM_TIMEOUT: 504,
	HTTP_STORAGE_FULL: 507,
};

export type HttpErrorCode = keyof typeof statusByCode;

/** The HTTP status of any error: by its code, by `details.status`, by `status`, and 500 otherwise. */
export const statusOf = (error: unknown): number => {
	const code = errorCode(error);
	if (code !== undefined && statusByCode[code] !== undefined) {
		return statusByCode[code];
	}
	if (error instanceof CodedError && typeof error.details['status'] === 'number') {
		return error.details['status'];
	}
	return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : 500;
};

/** Errors by which the other side merely left; nobody needs to hear of them. */
const isDisconnect = (error: unknown): boolean =>
	['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR'].includes(errorCode(error) ?? '');

/** What others failed at, or what passes by itself: an operating condition that requests repeat by the thousand. */
const passingStatuses = [502, 503, 504];

/** What a client caused is for debugging, a coded 5xx is an operation that failed oddly, and the rest needs a person. */
const levelOf = (status: number, error: unknown): 'debug' | 'warn' | 'error' => {
	if (status < 500 || passingStatuses.includes(status)) {
		return 'debug';
	}
	return error instanceof CodedError && status !== 500 ? 'warn' : 'error';
};

/**
 * A Koa application whose every failure is `application/problem+json` (RFC 9457) with our `code`.
 * A stack never leaves the box.
 */
export const createApp = ({logger}: {readonly logger: Logger}): Koa => {
	const app = new Koa();
	app.silent = true;
	app.on('error', (error: unknown) => {
		if (!isDisconnect(error)) {
			logger.debug({err: error}, 'request failed');
		}
	});
	app.use(async (context, next) => {
		try {
			await next();
		} catch (error) {
			if (context.headerSent || isDisconnect(error)) {
				throw error;
			}
			const status = statusOf(error);
			logger[levelOf(status, error)]({err: error, method: context.method, path: context.path}, 'request refused');
			context.status = status;
			const hidden = status === 500 && !(error instanceof CodedError);
			context.body = {
				type: 'about:blank',
				status,
				code: errorCode(error) ?? (status === 500 ? 'HTTP_INTERNAL' : `HTTP_${status}`),
				title: hidden ? 'This request failed inside the box; its log says why.' : errorMessage(error),
			};
			context.type = 'application/problem+json';
		}
	});
	return app;
};
