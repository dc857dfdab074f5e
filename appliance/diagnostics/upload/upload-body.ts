import type {StoredBody} from '#appliance/diagnostics/bundle/store-body.ts';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {type DeviceRequest, requestDevice} from '#appliance/diagnostics/upload/request-device.ts';
import {CodedError, errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';

/** What one request carries at most, so that a line that breaks often still makes progress that is counted. */
export const partBytesMax = 4 * 1024 ** 2;
const attemptsMax = 60;
const requestTimeoutMs = 60_000;
const backoff = {initialMs: 500, maxMs: 30_000};

/** Nothing that a second attempt would change. */
const finalStatuses = new Set([400, 401, 403, 404, 405, 410, 413, 415, 422]);

export type UploadOptions = {
	readonly url: string;
	readonly body: StoredBody;
	/** The box's certificate, as it is at the moment. */
	readonly tls: () => DeviceRequest['tls'];
	readonly logger: Logger;
	/** Ends the upload: its deadline, or the box's stop. */
	readonly signal: AbortSignal;
	readonly onProgress?: (fraction: number) => void;
	readonly partBytes?: number;
	readonly random?: () => number;
	readonly backoff?: {readonly initialMs: number; readonly maxMs: number};
};

/**
 * Sends a body by HTTPS after draft-ietf-httpbis-resumable-upload: HEAD asks for `Upload-Offset`, PATCH appends there,
 * and `Upload-Complete: ?1` marks the last part. After whatever breaks the offset is asked for anew, so that no byte is
 * believed sent that the server does not hold. `Repr-Digest` lets the server verify the whole.
 * @throws CodedError DIAGNOSTICS_UPLOAD_REFUSED, or the signal's reason
 */
export const uploadBody = async (options: UploadOptions): Promise<void> => {
	const {body, logger, signal} = options;
	let furthestBytes = -1;
	for (let attempt = 0; ; attempt += 1) {
		signal.throwIfAborted();
		try {
			const offsetBytes = await askOffset(options);
			if (offsetBytes === 'complete') {
				return;
			}
			if (offsetBytes > furthestBytes) {
				furthestBytes = offsetBytes;
				attempt = 0;
			}
			if (await sendFrom(offsetBytes, options)) {
				return;
			}
		} catch (error) {
			signal.throwIfAborted();
			if (errorCode(error) === 'DIAGNOSTICS_UPLOAD_REFUSED' || attempt >= attemptsMax) {
				throw error;
			}
			const delayMs = backoffMs(attempt, {
				...(options.backoff ?? backoff),
				...(options.random === undefined ? {} : {random: options.random}),
			});
			logger.debug({reason: errorMessage(error), delayMs, sizeBytes: body.sizeBytes}, 'upload was cut; it goes on');
			await sleep(delayMs, {signal});
		}
	}
};

const askOffset = async ({url, tls, signal, body}: UploadOptions): Promise<number | 'complete'> => {
	const answer = await requestDevice({url, method: 'HEAD', tls: tls(), signal, timeoutMs: requestTimeoutMs});
	refuse(answer.status);
	if (answer.headers['upload-complete'] === '?1') {
		return 'complete';
	}
	const offsetBytes = Number(answer.headers['upload-offset']);
	if (!Number.isSafeInteger(offsetBytes) || offsetBytes < 0 || offsetBytes > body.sizeBytes) {
		throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_UPLOAD_REFUSED', {
			message: 'The server holds more of this upload than there is.',
			details: {offset: answer.headers['upload-offset'], sizeBytes: body.sizeBytes},
		});
	}
	return offsetBytes;
};

/** Sends part after part; true when the server says that it has all. */
const sendFrom = async (fromBytes: number, options: UploadOptions): Promise<boolean> => {
	const {url, tls, signal, body, partBytes = partBytesMax} = options;
	for (let offsetBytes = fromBytes; ; ) {
		const endBytes = Math.min(body.sizeBytes, offsetBytes + partBytes);
		const last = endBytes === body.sizeBytes;
		const answer = await requestDevice({
			url,
			method: 'PATCH',
			tls: tls(),
			signal,
			timeoutMs: requestTimeoutMs,
			headers: {
				'content-type': 'application/partial-upload',
				'content-length': `${endBytes - offsetBytes}`,
				'upload-offset': `${offsetBytes}`,
				'upload-complete': last ? '?1' : '?0',
				'upload-length': `${body.sizeBytes}`,
				'repr-digest': `sha-256=:${Buffer.from(body.sha256, 'hex').toString('base64')}:`,
			},
			body: firstBytes(body.read(offsetBytes), endBytes - offsetBytes),
		});
		refuse(answer.status);
		offsetBytes = endBytes;
		options.onProgress?.(body.sizeBytes === 0 ? 1 : endBytes / body.sizeBytes);
		if (last) {
			return true;
		}
	}
};

async function* firstBytes(source: AsyncIterable<Buffer>, sizeBytes: number): AsyncGenerator<Buffer, void, undefined> {
	let leftBytes = sizeBytes;
	for await (const chunk of source) {
		yield chunk.subarray(0, leftBytes);
		leftBytes -= chunk.length;
		if (leftBytes <= 0) {
			return;
		}
	}
}

const refuse = (status: number): void => {
	if (finalStatuses.has(status)) {
		throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_UPLOAD_REFUSED', {
			message: `The fleet refused the upload with status ${status}.`,
			details: {status},
		});
	}
	if (status < 200 || status > 299) {
		throw new CodedError('HTTP_UPSTREAM_FAILED', {
			message: `The fleet answered the upload with status ${status}.`,
			retryable: true,
			details: {status},
		});
	}
};
