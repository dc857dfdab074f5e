import type {Socket} from 'node:net';
import {StringDecoder} from 'node:string_decoder';

/** A longer line ends the connection: whoever writes it is not one of ours. */
const lineCharsMax = 256 * 1024;

export type JsonLines = {
	/** False when the other end is gone. */
	readonly send: (value: unknown) => boolean;
};

/** Values in JSON, a line each, over a socket in both directions. What is no JSON ends the connection. */
export const openJsonLines = (
	socket: Socket,
	{onValue, onClose}: {readonly onValue: (value: unknown) => void; readonly onClose: () => void},
): JsonLines => {
	const decoder = new StringDecoder('utf8');
	let rest = '';
	socket.on('data', (bytes: Buffer) => {
		const lines = (rest + decoder.write(bytes)).split('\n');
		rest = lines.pop() ?? '';
		for (const line of lines) {
			const value = parse(line);
			if (value === undefined) {
				socket.destroy();
				return;
			}
			onValue(value);
		}
		if (rest.length > lineCharsMax) {
			socket.destroy();
		}
	});
	// A connection that breaks says nothing that its end does not say.
	socket.on('error', () => undefined);
	socket.on('close', onClose);
	return {
		send: (value) => {
			if (socket.writable) {
				socket.write(`${JSON.stringify(value)}\n`);
			}
			return socket.writable;
		},
	};
};

const parse = (line: string): unknown => {
	try {
		return line.length > lineCharsMax ? undefined : JSON.parse(line);
	} catch {
		return undefined;
	}
};
