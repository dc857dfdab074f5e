import type {IncomingMessage} from 'node:http';
import {CodedError, errorMessage, hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {StbErrorCode} from '#stb/error-code.ts';
import type {OriginBase, OriginBases} from '#stb/serve/origin-bases.ts';
import type {OriginClient} from '#stb/serve/request-origin.ts';
import type {OriginLimits} from '#stb/serve/serve-options.ts';

export type OriginAnswer = {readonly base: OriginBase; readonly response: IncomingMessage};

export type OriginStats = {requests: number; bytes: number; failures: number};

export type OriginAccess = {
	readonly objectBaseUri: string;
	readonly client: OriginClient;
	readonly bases: OriginBases;
	readonly limits: OriginLimits;
	readonly logger: Logger;
	readonly stats: OriginStats;
};

/**
 * Asks one server after the other until one answers as wanted. The time for the first byte is shared: each gets an equal
 * part of what is left, so that a dead server cannot use up the time of a living one.
 * @throws CodedError HTTP_NOT_FOUND, STB_ORIGIN_NONE, STB_ORIGIN_TIMEOUT, STB_ORIGIN_REFUSED
 */
export const askOrigin = async (
	access: OriginAccess,
	request: {
		readonly uri: string;
		readonly headers?: Readonly<Record<string, string>>;
		readonly accept: (response: IncomingMessage) => boolean;
		readonly signal: AbortSignal;
	},
): Promise<OriginAnswer> => {
	const {limits, stats, logger} = access;
	const order = access.bases.order();
	const deadlineMs = performance.now() + limits.firstByteTimeoutMs;
	let notFound = false;
	let failure: unknown;
	for (const [index, base] of order.entries()) {
		const leftMs = (deadlineMs - performance.now()) / (order.length - index);
		const url = urlBelow(base, access.objectBaseUri, request.uri);
		let lacksIt = false;
		stats.requests += 1;
		try {
			const response = await access.client.get({
				url,
				...(request.headers === undefined ? {} : {headers: request.headers}),
				firstByteTimeoutMs: Math.max(1, Math.round(leftMs)),
				idleTimeoutMs: limits.idleTimeoutMs,
				signal: request.signal,
			});
			if (request.accept(response)) {
				return {base, response};
			}
			// The connection is not worth the rest of a body that nobody wants.
			response.destroy();
			lacksIt = response.statusCode === 404 || response.statusCode === 410;
			notFound ||= lacksIt;
			failure = refused(url, response.statusCode);
		} catch (error) {
			request.signal.throwIfAborted();
			failure = error;
		}
		if (!lacksIt) {
			stats.failures += 1;
			access.bases.setAside(base);
		}
		logger.debug({url, reason: errorMessage(failure)}, 'a terrestrial origin did not deliver');
	}
	throw notFound
		? new CodedError('HTTP_NOT_FOUND', {message: 'No terrestrial origin has this object.', cause: failure})
		: asOriginError(failure);
};

const urlBelow = (base: OriginBase, objectBaseUri: string, uri: string): string =>
	`${base.url.endsWith('/') ? base.url : `${base.url}/`}${uri.slice(objectBaseUri.length)}`;

const refused = (url: string, status: number | undefined): CodedError<StbErrorCode> =>
	new CodedError('STB_ORIGIN_REFUSED', {
		message: 'A terrestrial origin refused.',
		details: {url, originStatus: status, status: 502},
		retryable: true,
	});

/** Whatever the network says becomes one of our codes, with the cause kept. */
export const asOriginError = (error: unknown): unknown => {
	if (error === undefined) {
		return new CodedError<StbErrorCode>('STB_ORIGIN_NONE', {
			message: 'This object is not on the box, and no terrestrial origin is known.',
			details: {status: 504},
			retryable: true,
		});
	}
	return error instanceof CodedError || hasCode(error, 'ABORT_ERR')
		? error
		: new CodedError<StbErrorCode>('STB_ORIGIN_REFUSED', {
				message: 'The terrestrial origin cannot be reached.',
				cause: error,
				details: {status: 502},
				retryable: true,
			});
};
