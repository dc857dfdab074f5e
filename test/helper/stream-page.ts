import {WebSocket} from 'ws';
import type {StreamFrame} from '#appliance/contract/fleet/stream-schema.ts';
import {FrameFlow} from '#appliance/diagnostics/stream/frame-flow.ts';
import {type StreamMessage, streamMessageSchema, streamSubprotocol} from '#ota/contract/diagnostics-api.ts';

export type StreamPageClient = {
	readonly connect: (query: string) => Promise<void>;
	readonly resume: () => Promise<void>;
	/** As a line that is cut: no close, nothing. */
	readonly cut: () => void;
	readonly type: (text: string) => void;
	readonly send: (message: unknown) => void;
	/** It reads, and says nothing of it. */
	silent: boolean;
	readonly text: () => string;
	readonly closed: () => Extract<StreamMessage, {kind: 'close'}> | undefined;
	readonly token: () => string;
};

/** What a page of the console does with a stream, with another WebSocket below. */
export const createStreamPage = (options: {
	readonly url: string;
	readonly box: string;
	readonly headers: Readonly<Record<string, string>>;
}): StreamPageClient => {
	let socket: WebSocket | undefined;
	let text = '';
	let token = '';
	let closed: Extract<StreamMessage, {kind: 'close'}> | undefined;
	const send = (frame: unknown): void => {
		if (socket?.readyState === WebSocket.OPEN) {
			socket.send(JSON.stringify(frame));
		}
	};
	const flow = new FrameFlow({
		send: (frame: StreamFrame) => !(client.silent && frame.kind === 'ack') && send(frame),
		onData: (part) => {
			text += part;
		},
	});
	const hear = (message: StreamMessage): void => {
		switch (message.kind) {
			case 'opened':
				token = message.token;
				flow.take({kind: 'resume', after: message.acknowledged});
				break;
			case 'close':
				closed = message;
				break;
			case 'resize':
				break;
			default:
				flow.take(message);
		}
	};
	const connect = async (query: string): Promise<void> => {
		const url = new URL(`/api/v1/boxes/${options.box}/streams?${query}`, options.url.replace(/^http/u, 'ws'));
		const opened = Promise.withResolvers<void>();
		const own = new WebSocket(url, streamSubprotocol, {headers: options.headers});
		socket = own;
		own.on('message', (data) => {
			const message = streamMessageSchema.parse(JSON.parse(String(data)));
			if (own === socket) {
				hear(message);
			}
			opened.resolve();
		});
		own.on('error', opened.reject);
		await opened.promise;
	};
	const client: StreamPageClient = {
		connect,
		resume: () => connect(new URLSearchParams({kind: 'resume', token, after: String(flow.received)}).toString()),
		cut: () => {
			socket?.terminate();
			socket = undefined;
		},
		type: (typed) => flow.write(typed),
		send,
		silent: false,
		text: () => text,
		closed: () => closed,
		token: () => token,
	};
	return client;
};
