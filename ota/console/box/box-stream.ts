import type {StreamMessage} from '#ota/contract/diagnostics-api.ts';
import {apiPath, type Query} from '../state/request.ts';

export type BoxStreamState = 'connecting' | 'open' | 'lost' | 'closed';

export type BoxStreamOptions = {
	readonly box: string;
	readonly query: Query;
	/** Must call `drawn` once the text is on the screen: without it the box stops. */
	readonly onText: (text: string, drawn: () => void) => void;
	readonly onState: (state: BoxStreamState, reason?: string) => void;
};

export type BoxStream = {
	readonly send: (text: string) => void;
	readonly resize: (columns: number, rows: number) => void;
	readonly close: () => void;
};

type Typed = {readonly kind: 'data'; readonly sequence: number; readonly text: string};

const retryMs = 1500;
/** The server's bound of one frame (stream-schema.ts). */
const frameChars = 16 * 1024;

/** A terminal or log of a box: opened once, and taken up again after a lost connection without a lost character. */
export const openBoxStream = (options: BoxStreamOptions): BoxStream => {
	const {box, query, onText, onState} = options;
	let socket: WebSocket | undefined;
	let timer: ReturnType<typeof setTimeout> | undefined;
	let token: string | undefined;
	let resumeUntil = 0;
	let resumeMs = 0;
	let shown = 0;
	let typedSequence = 0;
	let unacknowledged: readonly Typed[] = [];
	let isClosed = false;

	const tell = (message: object): void => {
		if (socket?.readyState === WebSocket.OPEN) {
			socket.send(JSON.stringify(message));
		}
	};
	const stop = (): void => {
		isClosed = true;
		clearTimeout(timer);
		socket?.close();
	};
	const end = (reason: string): void => {
		onState('closed', reason);
		stop();
	};
	const take = (message: StreamMessage): void => {
		switch (message.kind) {
			case 'opened': {
				token = message.token;
				resumeMs = message.resumeMs;
				unacknowledged = unacknowledged.filter(({sequence}) => sequence > message.acknowledged);
				onState('open');
				// At the first connection there is nothing yet; after a resume the box drops what it has had.
				unacknowledged.forEach(tell);
				return;
			}
			case 'data':
				if (message.sequence > shown) {
					shown = message.sequence;
					onText(message.text, () => tell({kind: 'ack', sequence: message.sequence}));
				}
				return;
			case 'ack':
				unacknowledged = unacknowledged.filter(({sequence}) => sequence > message.sequence);
				return;
			case 'close':
				end(message.reason.message);
				return;
			case 'resume':
			case 'resize':
		}
	};
	const connect = (): void => {
		const asked = token === undefined ? query : {kind: 'resume', token, after: shown};
		socket = new WebSocket(streamUrl(box, asked), 'streamverse.stream.v1');
		socket.onmessage = ({data}: MessageEvent<string>) => take(JSON.parse(data) as StreamMessage);
		socket.onclose = ({reason}) => {
			if (isClosed) {
				return;
			}
			const now = Date.now();
			resumeUntil ||= now + resumeMs;
			if (token === undefined || now > resumeUntil) {
				end(reason || 'The box could not be reached.');
			} else {
				onState('lost');
				timer = setTimeout(connect, retryMs);
			}
		};
		socket.onopen = () => {
			resumeUntil = 0;
		};
	};
	onState('connecting');
	connect();
	return {
		send: (text) => {
			for (let from = 0; from < text.length; from += frameChars) {
				typedSequence += 1;
				const frame: Typed = {kind: 'data', sequence: typedSequence, text: text.slice(from, from + frameChars)};
				unacknowledged = [...unacknowledged, frame];
				tell(frame);
			}
		},
		resize: (columns, rows) => tell({kind: 'resize', columns, rows}),
		close: () => {
			tell({kind: 'close', reason: {code: 'CONSOLE_CLOSED', message: 'The page was closed.'}});
			stop();
		},
	};
};

const streamUrl = (box: string, query: Query): URL => {
	const url = new URL(apiPath(`/boxes/${encodeURIComponent(box)}/streams`, query), location.href);
	url.protocol = url.protocol.replace('http', 'ws');
	return url;
};
