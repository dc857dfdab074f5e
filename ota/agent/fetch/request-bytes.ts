import type {IncomingMessage} from 'node:http';
import {request as requestHttp} from 'node:http';
import {type Agent, request as requestHttps} from 'node:https';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import type {FetchLimits} from '#ota/agent/fetch/fetch-limits.ts';

export type RequestOptions = {
	readonly url: string;
	readonly headers: Readonly<Record<string, string>>;
	/** Only for `https:`. */
	readonly agent?: Agent | undefined;
	readonly limits: FetchLimits;
	readonly signal: AbortSignal;
};

/**
 * One GET. `onHead` judges the answer (by throwing), `onBytes` takes its body. Nothing is followed, and a peer that says
 * nothing, or next to nothing, is left.
 */
export const requestBytes = async (
	{url, headers, agent, limits, signal}: RequestOptions,
	onHead: (response: IncomingMessage) => void,
	onBytes: (bytes: Buffer) => Promise<void>,
): Promise<void> => {
	signal.throwIfAborted();
	const stop = new AbortController();
	const bounded = AbortSignal.any([signal, stop.signal]);
	using pace = watchPace(limits, (error) => stop.abort(error));
	try {
		const response = await ask(url, {headers: {'accept-encoding': 'identity', ...headers}, agent, signal: bounded});
		try {
			onHead(response);
			for await (const chunk of response as AsyncIterable<Buffer>) {
				pace.came(chunk.length);
				await onBytes(chunk);
			}
		} finally {
			response.destroy();
		}
	} catch (error) {
		signal.throwIfAborted();
		if (error instanceof CodedError) {
			throw error;
		}
		throw stop.signal.aborted ? stop.signal.reason : unreachable(error);
	}
};

const unreachable = (cause: unknown): CodedError<AgentErrorCode> =>
	new CodedError<AgentErrorCode>('OTA_FETCH_UNAVAILABLE', {
		message: 'The server cannot be reached, or broke off.',
		cause,
		retryable: true,
	});

const ask = async (
	url: string,
	{headers, agent, signal}: {headers: Record<string, string>; agent: Agent | undefined; signal: AbortSignal},
): Promise<IncomingMessage> => {
	const answered = Promise.withResolvers<IncomingMessage>();
	const request = url.startsWith('https:')
		? requestHttps(url, {headers, signal, ...(agent === undefined ? {} : {agent})}, answered.resolve)
		: requestHttp(url, {headers, signal}, answered.resolve);
	request.on('error', answered.reject);
	request.end();
	return await answered.promise;
};

type Pace = Disposable & {came(bytes: number): void};

const watchPace = (limits: FetchLimits, giveUp: (error: Error) => void): Pace => {
	const stalled = (message: string): void =>
		giveUp(new CodedError<AgentErrorCode>('OTA_FETCH_STALLED', {message, retryable: true}));
	const idle = setTimeout(stalled, limits.idleTimeoutMs, 'The server fell silent.');
	let inWindow = 0;
	const slow = setInterval(() => {
		if (inWindow < limits.slowBytesMin) {
			stalled('The server sends next to nothing.');
		}
		inWindow = 0;
	}, limits.slowWindowMs);
	return {
		came: (bytes) => {
			inWindow += bytes;
			idle.refresh();
		},
		[Symbol.dispose]: () => {
			clearTimeout(idle);
			clearInterval(slow);
		},
	};
};
