import {once} from 'node:events';
import {type ClientRequest, Agent as HttpAgent, get as httpGet, type IncomingMessage} from 'node:http';
import {Agent as HttpsAgent, get as httpsGet} from 'node:https';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {StbErrorCode} from '#stb/error-code.ts';

const socketsPerServerMax = 16;

export type OriginRequest = {
	readonly url: string;
	readonly headers?: Readonly<Record<string, string>>;
	/** Until the head of the answer is here. */
	readonly firstByteTimeoutMs: number;
	/** Between two reads of the body. */
	readonly idleTimeoutMs: number;
	readonly signal: AbortSignal;
};

export type OriginClient = Disposable & {
	/** @throws CodedError STB_ORIGIN_TIMEOUT, or the error of the network. */
	readonly get: (request: OriginRequest) => Promise<IncomingMessage>;
};

/** A keep-alive HTTP client that follows nothing and decodes nothing: bytes are stored as the origin names them. */
export const createOriginClient = (): OriginClient => {
	const httpAgent = new HttpAgent({keepAlive: true, maxSockets: socketsPerServerMax});
	const httpsAgent = new HttpsAgent({keepAlive: true, maxSockets: socketsPerServerMax});
	return {
		get: async ({url, headers, firstByteTimeoutMs, idleTimeoutMs, signal}) => {
			const options = {headers: {accept: '*/*', 'accept-encoding': 'identity', ...headers}, signal};
			const request = url.startsWith('https:')
				? httpsGet(url, {...options, agent: httpsAgent})
				: httpGet(url, {...options, agent: httpAgent});
			// Once the answer is here, its stream tells of errors; the request repeats them.
			request.on('error', () => undefined);
			const timeout = AbortSignal.timeout(firstByteTimeoutMs);
			const onTimeout = () => request.destroy(timedOut(url, firstByteTimeoutMs));
			timeout.addEventListener('abort', onTimeout, {once: true});
			try {
				const [response]: IncomingMessage[] = await once(request, 'response');
				if (response === undefined) {
					throw timedOut(url, firstByteTimeoutMs);
				}
				cutSilence(request, {response, url, idleTimeoutMs});
				return response;
			} finally {
				timeout.removeEventListener('abort', onTimeout);
			}
		},
		[Symbol.dispose]: () => {
			httpAgent.destroy();
			httpsAgent.destroy();
		},
	};
};

/**
 * Looks twice in the time that a server may be silent: a process that was given no time hears of its timers before it hears
 * of what came meanwhile. The socket is listened to because a request tells of the first timeout only.
 */
const cutSilence = (
	request: ClientRequest,
	options: {readonly response: IncomingMessage; readonly url: string; readonly idleTimeoutMs: number},
): void => {
	const {response, url, idleTimeoutMs} = options;
	const {socket} = response;
	let readBytes: number | undefined;
	const look = (): void => {
		// Bytes that wait here to be taken tell of a slow player (a paused one, say), not of a silent server.
		const isTaken = response.readableLength === 0;
		if (isTaken && readBytes === socket.bytesRead) {
			request.destroy(timedOut(url, idleTimeoutMs));
			return;
		}
		readBytes = isTaken ? socket.bytesRead : undefined;
		socket.setTimeout(idleTimeoutMs / 2);
	};
	socket.setTimeout(idleTimeoutMs / 2);
	socket.on('timeout', look);
	// The next request has the socket to itself.
	request.once('close', () => socket.off('timeout', look));
};

const timedOut = (url: string, timeoutMs: number): CodedError<StbErrorCode> =>
	new CodedError('STB_ORIGIN_TIMEOUT', {
		message: 'The terrestrial origin did not answer in time.',
		details: {url, timeoutMs, status: 504},
		retryable: true,
	});
