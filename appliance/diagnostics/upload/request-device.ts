import {once} from 'node:events';
import type {IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders} from 'node:http';
import {request} from 'node:https';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';

const answerBytesMax = 64 * 1024;

export type DeviceRequest = {
	readonly url: string;
	readonly method: 'GET' | 'HEAD' | 'PATCH';
	/** What proves who the box is, and whom it trusts. */
	readonly tls: {readonly key: string; readonly cert: string; readonly ca: string} | undefined;
	readonly signal: AbortSignal;
	readonly timeoutMs: number;
	readonly headers?: OutgoingHttpHeaders;
	readonly body?: AsyncIterable<Buffer>;
};

export type DeviceAnswer = {readonly status: number; readonly headers: IncomingHttpHeaders};

/** One request to the fleet's listener for boxes, on a connection of its own. Its answer's body is not of interest. */
export const requestDevice = async (options: DeviceRequest): Promise<DeviceAnswer> => {
	const message = await openRequest(options);
	let sizeBytes = 0;
	for await (const chunk of message as AsyncIterable<Buffer>) {
		sizeBytes += chunk.length;
		if (sizeBytes > answerBytesMax) {
			break;
		}
	}
	return {status: message.statusCode ?? 0, headers: message.headers};
};

/** The same with the answer's body still to be read; whoever asks reads or destroys it. */
export const openRequest = async (options: DeviceRequest): Promise<IncomingMessage> => {
	const {url, method, tls, headers, body, timeoutMs} = options;
	const signal = AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)]);
	const outgoing = request(url, {
		method,
		signal,
		agent: false,
		...(tls === undefined ? {} : {key: tls.key, cert: tls.cert, ca: tls.ca}),
		headers: {connection: 'close', ...headers},
	});
	const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
	// A server that refuses answers before it has read all; that answer counts, not the broken pipe.
	const sent = body === undefined ? outgoing.end() : pipeline(Readable.from(body), outgoing);
	void Promise.resolve(sent).catch(() => undefined);
	const [message] = await answered;
	return message;
};
